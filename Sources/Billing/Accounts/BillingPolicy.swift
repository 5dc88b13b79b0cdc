public import Foundation

/// What an operator can choose about the rules. All but ``renewalOverdueAfter`` decide what accounts have, so that they
/// belong to the database and not to the process that looks at it.
public struct BillingPolicy: Sendable, Hashable {
    /// R4: whose events are applied.
    public var acceptance: Acceptance
    /// R5: whether an e-mail typed at a checkout is taken as a claim.
    public var matchByEmail: Bool
    public var upgradeUnits: UpgradeUnits
    public var downgradeUnits: DowngradeUnits
    public var refundUnits: RefundUnits
    /// R17: how long a present month may stay locked while active before it is shown as overdue, in seconds.
    public var renewalOverdueAfter: TimeInterval

    public init(
        acceptance: Acceptance = Acceptance(), matchByEmail: Bool = false, upgradeUnits: UpgradeUnits = .atOnce,
        downgradeUnits: DowngradeUnits = .atOnce, refundUnits: RefundUnits = .keep,
        renewalOverdueAfter: TimeInterval = 86_400
    ) {
        self.acceptance = acceptance
        self.matchByEmail = matchByEmail
        self.upgradeUnits = upgradeUnits
        self.downgradeUnits = downgradeUnits
        self.refundUnits = refundUnits
        self.renewalOverdueAfter = renewalOverdueAfter
    }

    /// Counts up with each change of the rules that changes accounts: then all are computed again, once (R17).
    public static let rulesVersion = 2

    /// Whether both decide alike.
    public func decides(like other: BillingPolicy) -> Bool {
        var other = other
        other.renewalOverdueAfter = renewalOverdueAfter
        return self == other
    }
}

extension BillingPolicy {
    /// What it decides, setting by setting, by the settings' names and in their words.
    public var decisions: KeyValuePairs<String, String> {
        [
            "LEMON_SQUEEZY_MODE": acceptance.mode.rawValue,
            "LEMON_SQUEEZY_STORE_ID": acceptance.storeID ?? "any",
            "SELEXTRACT_MATCH_BY_EMAIL": String(matchByEmail),
            "SELEXTRACT_UPGRADE_UNITS": upgradeUnits.rawValue,
            "SELEXTRACT_DOWNGRADE_UNITS": downgradeUnits.rawValue,
            "SELEXTRACT_REFUND_UNITS": refundUnits.rawValue,
        ]
    }

    /// The settings in which this differs from `other`: name, own value, the other's.
    public func differences(from other: BillingPolicy) -> [(name: String, own: String, other: String)] {
        zip(decisions, other.decisions).compactMap { own, other in
            own.value == other.value ? nil : (own.key, own.value, other.value)
        }
    }
}
