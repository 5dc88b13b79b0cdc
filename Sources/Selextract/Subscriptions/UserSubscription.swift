public import Foundation

/// A subscription of an account, a row of `user_subscriptions`. Times are UTC.
public struct UserSubscription: Sendable, Codable, Hashable, Identifiable {
    public var id: UUID
    public var userID: UUID
    public var planID: String
    /// The provider's id; nil if another program made the row.
    public var lemonSqueezySubscriptionID: String?
    /// As the provider spells it.
    public var status: String
    public var currentPeriodStart: Date
    public var currentPeriodEnd: Date
    public var cancelAtPeriodEnd: Bool
    public var lemonSqueezyCustomerID: String?
    public var lemonSqueezyVariantID: String?
    public var renewsAt: Date?
    public var endsAt: Date?
    public var trialEndsAt: Date?
    /// `void` or `free`; nil if not paused.
    public var pauseMode: String?
    public var pauseResumesAt: Date?
    /// The provider's `updated_at` of the snapshot that this row was written from.
    public var sourceUpdatedAt: Date?
    /// What the row was made from; nil: another program made it, and it gives nothing until it is adopted (R19).
    public var source: Source?
    public var createdAt: Date
    public var updatedAt: Date

    /// What a subscription was made from.
    public enum Source: String, Sendable, Codable, Hashable {
        /// The provider's events.
        case provider
        /// An operator gave the plan (R19).
        case granted
    }

    /// The columns.
    public enum CodingKeys: String, CodingKey {
        case id
        case userID = "user_id"
        case planID = "plan_id"
        case lemonSqueezySubscriptionID = "lemon_squeezy_subscription_id"
        case status
        case currentPeriodStart = "current_period_start"
        case currentPeriodEnd = "current_period_end"
        case cancelAtPeriodEnd = "cancel_at_period_end"
        case lemonSqueezyCustomerID = "lemon_squeezy_customer_id"
        case lemonSqueezyVariantID = "lemon_squeezy_variant_id"
        case renewsAt = "renews_at"
        case endsAt = "ends_at"
        case trialEndsAt = "trial_ends_at"
        case pauseMode = "pause_mode"
        case pauseResumesAt = "pause_resumes_at"
        case sourceUpdatedAt = "source_updated_at"
        case source
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    public init(
        id: UUID, userID: UUID, planID: String, lemonSqueezySubscriptionID: String? = nil, status: String,
        currentPeriodStart: Date, currentPeriodEnd: Date, cancelAtPeriodEnd: Bool = false,
        lemonSqueezyCustomerID: String? = nil, lemonSqueezyVariantID: String? = nil, renewsAt: Date? = nil,
        endsAt: Date? = nil, trialEndsAt: Date? = nil, pauseMode: String? = nil, pauseResumesAt: Date? = nil,
        sourceUpdatedAt: Date? = nil, source: Source? = nil, createdAt: Date, updatedAt: Date? = nil
    ) {
        self.id = id
        self.userID = userID
        self.planID = planID
        self.lemonSqueezySubscriptionID = lemonSqueezySubscriptionID
        self.status = status
        self.currentPeriodStart = currentPeriodStart
        self.currentPeriodEnd = currentPeriodEnd
        self.cancelAtPeriodEnd = cancelAtPeriodEnd
        self.lemonSqueezyCustomerID = lemonSqueezyCustomerID
        self.lemonSqueezyVariantID = lemonSqueezyVariantID
        self.renewsAt = renewsAt
        self.endsAt = endsAt
        self.trialEndsAt = trialEndsAt
        self.pauseMode = pauseMode
        self.pauseResumesAt = pauseResumesAt
        self.sourceUpdatedAt = sourceUpdatedAt
        self.source = source
        self.createdAt = createdAt
        self.updatedAt = updatedAt ?? createdAt
    }
}
