public import Foundation

/// A subscription of an account, a row of `user_subscriptions`.
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
    /// The provider's `updated_at` of the snapshot that the row tells of.
    public var sourceUpdatedAt: Date?
    public var createdAt: Date
    public var updatedAt: Date

    public init(
        id: UUID, userID: UUID, planID: String, lemonSqueezySubscriptionID: String?, status: String,
        currentPeriodStart: Date, currentPeriodEnd: Date, cancelAtPeriodEnd: Bool, lemonSqueezyCustomerID: String?,
        lemonSqueezyVariantID: String?, renewsAt: Date?, endsAt: Date?, trialEndsAt: Date?, pauseMode: String?,
        pauseResumesAt: Date?, sourceUpdatedAt: Date?, createdAt: Date, updatedAt: Date
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
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
