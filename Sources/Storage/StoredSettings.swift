public import Billing
public import Foundation

/// The settings that decide, as the database has them: all instances and commands go by these, so that what one of them
/// computes another does not compute otherwise (R0, R17).
public struct StoredSettings: Sendable, Hashable {
    /// Counts up with each change; accounts that were computed with an earlier one are due.
    public var revision: Int
    public var policy: BillingPolicy
    /// ``Billing/BillingPolicy/rulesVersion`` of the program that wrote them.
    public var rules: Int
    /// By the database's clock, UTC.
    public var changedAt: Date
    /// The host that wrote them.
    public var changedBy: String

    public init(revision: Int, policy: BillingPolicy, rules: Int, changedAt: Date, changedBy: String) {
        self.revision = revision
        self.policy = policy
        self.rules = rules
        self.changedAt = changedAt
        self.changedBy = changedBy
    }

    /// What holds as long as no instance has written any. Less than that is an account's row that was never computed, or was
    /// by a version of the program that had no settings stored.
    static let firstRevision = 1
}

/// What a transaction decides by: the database's settings if there are any, else the program's own.
struct PolicyInForce: Sendable {
    var policy: BillingPolicy
    var revision: Int

    init(own: BillingPolicy, stored: StoredSettings?) {
        policy = stored?.policy ?? own
        policy.renewalOverdueAfter = own.renewalOverdueAfter
        revision = stored?.revision ?? StoredSettings.firstRevision
    }
}

extension Store {
    /// The settings that decide; nil: no instance has written any yet, and each program goes by its own.
    public func settings() async throws -> StoredSettings? {
        try await transaction { try await $0.settings(locked: false) }
    }

    /// Makes these settings the database's, as an instance does that starts: the later start holds. All accounts are due
    /// once if they, or the rules of this version of the program, are others than before.
    ///
    /// - Parameter host: who writes them, for people.
    /// - Returns: what held before, if it was another.
    @discardableResult
    public func adopt(_ policy: BillingPolicy, host: String) async throws -> StoredSettings? {
        try await transaction { transaction in
            let before = try await transaction.settings(locked: true)
            if let before, before.policy.decides(like: policy), before.rules == BillingPolicy.rulesVersion {
                return nil
            }
            let revision = (before?.revision ?? StoredSettings.firstRevision) + 1
            try await transaction.insert(
                StoredSettings(
                    revision: revision, policy: policy, rules: BillingPolicy.rulesVersion,
                    changedAt: try await transaction.now(), changedBy: String(host.prefix(255))))
            return before
        }
    }
}
