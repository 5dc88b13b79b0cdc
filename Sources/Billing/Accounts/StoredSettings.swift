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

    /// The revision in force while no settings are stored. An account's row has a lower one if it was never computed,
    /// or was computed by a version of the program that stored no settings.
    static let firstRevision = 1
}

/// What a transaction decides by: the database's settings if there are any, else the program's own.
public struct PolicyInForce: Sendable, Hashable {
    public var policy: BillingPolicy
    /// Of the stored settings.
    public var revision: Int

    public init(own: BillingPolicy, stored: StoredSettings?) {
        policy = stored?.policy ?? own
        policy.renewalOverdueAfter = own.renewalOverdueAfter
        revision = stored?.revision ?? StoredSettings.firstRevision
    }
}

extension StoredSettings {
    /// The settings that a starting instance makes the database's; nil if these, and the rules of this version of the
    /// program, are in force already.
    ///
    /// - Parameter host: who writes them, for people.
    public static func next(
        after present: StoredSettings?, policy: BillingPolicy, host: String, at now: Date
    ) -> StoredSettings? {
        if let present, present.policy.decides(like: policy), present.rules == BillingPolicy.rulesVersion {
            return nil
        }
        return StoredSettings(
            revision: (present?.revision ?? firstRevision) + 1, policy: policy, rules: BillingPolicy.rulesVersion,
            changedAt: now, changedBy: String(host.prefix(255)))
    }
}
