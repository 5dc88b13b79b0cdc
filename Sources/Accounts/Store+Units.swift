public import Billing
import Databases
public import Foundation
import Selextract
public import Storage

/// An account's compute units, changed by hand or for a task. Each change is an entry in the ledger (R15, R16).
extension Store {
    /// Charges a task; the second time it changes nothing, and the first entry is returned.
    ///
    /// - Throws: `UnitRefusal` if fewer are left, or it is no number of units; `StoreError.notFound`. Nothing was
    ///   changed then.
    @discardableResult
    public func consumeComputeUnits(
        _ units: Int, for task: UUID, of user: UUID, policy: BillingPolicy
    ) async throws -> LedgerEntry {
        let request = UnitRequest(userID: user, kind: .consume(task: task, inFull: true), units: units)
        return try await transaction { try await Fold($0, policy: policy).grant(request) }
    }

    /// Gives units in the month that is current.
    ///
    /// - Throws: `UnitRefusal` if it is no number of units; `StoreError.notFound`.
    @discardableResult
    public func addComputeUnits(
        _ units: Int, to user: UUID, reason: String, by operator: Operator = .local, policy: BillingPolicy
    ) async throws -> LedgerEntry {
        guard units > 0 else { throw UnitRefusal.invalid(units: units) }
        return try await adjust(user, units: units, reason: reason, by: `operator`, policy: policy)
    }

    /// Gives back what of the present month's units is gone. The months themselves follow from the subscriptions (R11).
    ///
    /// - Returns: the ledger's entry; nil if nothing is gone.
    /// - Throws: `StoreError.notFound`.
    @discardableResult
    public func resetComputeUnits(
        of user: UUID, reason: String, by operator: Operator = .local, policy: BillingPolicy
    ) async throws -> LedgerEntry? {
        try await transaction { transaction in
            let fold = Fold(transaction, policy: policy)
            try await fold.refresh(users: [user])
            guard let last = try await transaction.lockAccount(user)?.lastEntry else {
                throw StoreError.notFound("account “\(user.text)”")
            }
            let current = try await transaction.buckets(of: user)
                .first { $0.line == last.line && $0.begin == last.begin }
            guard let current, current.remaining < current.granted else { return nil }
            return try await fold.grant(
                UnitRequest(
                    userID: user, kind: .adjust(reason: reason), units: current.granted - current.remaining),
                by: `operator`)
        }
    }
}
