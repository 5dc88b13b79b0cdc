public import Billing
import Databases
public import Foundation
public import Selextract
public import Storage

/// A task's way from its creation to its start. Each step is one transaction.
extension Store {
    /// Creates a task if the account may have a further one at this moment: what counts are the plan and the units
    /// after the account was brought up to date (R9, R14). Under the account's lock, so that two at once cannot pass
    /// the limit.
    ///
    /// - Throws: `TaskRefusal`; `InvalidTaskConfiguration`; `StoreError.notFound` for the account; `.conflict` if the
    ///   id is taken, or for what a column cannot hold.
    public func createTask(_ new: NewTask, for user: UUID, policy: BillingPolicy) async throws -> ScrapingTask {
        try new.validate()
        return try await transaction { transaction in
            try await Fold(transaction, policy: policy).refresh(users: [user])
            guard let workload = try await transaction.workload(of: user) else {
                throw StoreError.notFound("account “\(user.text)”")
            }
            if let refusal = workload.refusal { throw refusal }
            return try await transaction.insert(new.task(of: user, at: try await transaction.now()))
        }
    }

    /// The task waits for a worker.
    ///
    /// - Throws: `IllegalTransition`; `StoreError.notFound`.
    @discardableResult
    public func queueTask(_ id: UUID, of user: UUID) async throws -> ScrapingTask {
        try await change(id, of: user) { task, moment in try task.queue(at: moment) }
    }

    /// A worker took the task; from now on it costs units.
    ///
    /// - Throws: `IllegalTransition`; `StoreError.notFound`.
    @discardableResult
    public func startTask(_ id: UUID, of user: UUID) async throws -> ScrapingTask {
        try await change(id, of: user) { task, moment in try task.start(at: moment) }
    }

    /// How far a running task is, in percent.
    ///
    /// - Throws: `ProgressError`; `StoreError.notFound`.
    @discardableResult
    public func reportProgress(_ percent: Int, ofTask id: UUID, of user: UUID) async throws -> ScrapingTask {
        try await change(id, of: user) { task, moment in try task.report(progress: percent, at: moment) }
    }

    /// Needs the task's lock alone: nothing of the account changes.
    private func change(
        _ id: UUID, of user: UUID, _ change: @Sendable (inout ScrapingTask, Date) throws -> Void
    ) async throws -> ScrapingTask {
        try await transaction { transaction in
            var task = try await transaction.lockTask(id, of: user)
            try change(&task, try await transaction.now())
            return try await transaction.save(task)
        }
    }
}
