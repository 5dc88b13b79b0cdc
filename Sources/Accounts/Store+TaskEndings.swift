public import Billing
import Databases
public import Foundation
public import Selextract
public import Storage

/// A task's end: its status, its units, the day's usage and a log, in one transaction.
///
/// A task that was started is charged for each started minute, 1 unit each, up to what is left; the ledger records what
/// is lacking (R15). It ends whatever has become of its account meanwhile: inactive, without units, waiting for
/// payment. The charge's key is the task, so that it is charged once. A task that never started costs nothing and
/// counts as no use. If another program holds the account or the task, it is waited for, some 20 seconds in all
/// (`StoreError.busy`).
extension Store {
    /// The task ended well. A path of more than 500 characters is kept in the log alone.
    ///
    /// - Throws: `IllegalTransition`; `StoreError.notFound`.
    @discardableResult
    public func completeTask(
        _ id: UUID, of user: UUID, resultFilePath: String? = nil, policy: BillingPolicy
    ) async throws -> ScrapingTask {
        try await end(id, of: user, .completed(resultFilePath: resultFilePath), policy: policy)
    }

    /// The task ended badly, or could not be started. Of the message the first 10,000 characters are kept.
    ///
    /// - Throws: `IllegalTransition`; `StoreError.notFound`.
    @discardableResult
    public func failTask(
        _ id: UUID, of user: UUID, message: String, policy: BillingPolicy
    ) async throws -> ScrapingTask {
        try await end(id, of: user, .failed(message: message), policy: policy)
    }

    /// Somebody stopped the task, or called it off before it started.
    ///
    /// - Throws: `IllegalTransition`; `StoreError.notFound`.
    @discardableResult
    public func cancelTask(_ id: UUID, of user: UUID, policy: BillingPolicy) async throws -> ScrapingTask {
        try await end(id, of: user, .cancelled, policy: policy)
    }

    private func end(
        _ id: UUID, of user: UUID, _ ending: TaskEnding, policy: BillingPolicy
    ) async throws -> ScrapingTask {
        for _ in 1..<5 {
            do {
                return try await endOnce(id, of: user, ending, policy: policy)
            } catch StoreError.busy {
                continue
            }
        }
        return try await endOnce(id, of: user, ending, policy: policy)
    }

    private func endOnce(
        _ id: UUID, of user: UUID, _ ending: TaskEnding, policy: BillingPolicy
    ) async throws -> ScrapingTask {
        try await transaction { transaction in
            let fold = Fold(transaction, policy: policy)
            // The account is locked before the task, as everywhere. What the task costs is known only once it is
            // locked, too.
            try await fold.refresh(users: [user])
            var task = try await transaction.lockTask(id, of: user)
            let moment = try await transaction.now()
            try ending.apply(to: &task, at: moment)
            var shortfall = 0
            if task.hasStarted {
                // Another program may have started it anew after it was charged.
                let earlier = try await transaction.entry(task: id)
                let entry = try await fold.grant(
                    UnitRequest(
                        userID: user, kind: .consume(task: id, inFull: false), units: task.billedMinutes(at: moment)))
                task.computeUnitsConsumed = -entry.units
                shortfall = entry.shortfall
                if earlier == nil {
                    try await transaction.add([
                        UsageAddition(
                            userID: user, date: UsageDay(containing: moment), tasksExecuted: 1,
                            computeUnitsUsed: task.computeUnitsConsumed)
                    ])
                }
            }
            let saved = try await transaction.save(task)
            try await transaction.add([ending.log(of: task, shortfall: shortfall, at: moment)], of: user)
            return saved
        }
    }
}
