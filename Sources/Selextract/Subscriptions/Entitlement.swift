public import Foundation

/// What an account is entitled to at a moment, a row of the view `account_entitlements` (R9, R10, R14).
public struct Entitlement: Sendable, Codable, Hashable {
    public var userID: UUID
    /// The plan in force; `free` if no subscription gives access.
    public var planID: String
    /// Whether a subscription gives access.
    public var hasAccess: Bool
    /// The provider's id of the subscription that gives access.
    public var lemonSqueezySubscriptionID: String?
    /// The subscription's, as the provider spells it.
    public var status: String?
    /// When access ends by itself, UTC: of a cancelled subscription or a trial.
    public var accessUntil: Date?
    /// Compute units left, what other programs took or gave included.
    public var computeUnitsRemaining: Int
    /// The end of the month that these units are of, UTC; in the past it means: waiting for payment.
    public var computeUnitsResetDate: Date
    /// The compute units that this month gave (R13).
    public var computeUnitsGranted: Int

    /// The columns.
    public enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case planID = "plan_id"
        case hasAccess = "has_access"
        case lemonSqueezySubscriptionID = "lemon_squeezy_subscription_id"
        case status
        case accessUntil = "access_until"
        case computeUnitsRemaining = "compute_units_remaining"
        case computeUnitsResetDate = "compute_units_reset_date"
        case computeUnitsGranted = "compute_units_granted"
    }

    public init(
        userID: UUID, planID: String, hasAccess: Bool, lemonSqueezySubscriptionID: String?, status: String?,
        accessUntil: Date?, computeUnitsRemaining: Int, computeUnitsResetDate: Date, computeUnitsGranted: Int
    ) {
        self.userID = userID
        self.planID = planID
        self.hasAccess = hasAccess
        self.lemonSqueezySubscriptionID = lemonSqueezySubscriptionID
        self.status = status
        self.accessUntil = accessUntil
        self.computeUnitsRemaining = computeUnitsRemaining
        self.computeUnitsResetDate = computeUnitsResetDate
        self.computeUnitsGranted = computeUnitsGranted
    }

    /// How many of this month's units are used; 0 if more are left than it gave.
    public var computeUnitsUsed: Int { max(0, computeUnitsGranted - computeUnitsRemaining) }
}
