public import Foundation

extension User {
    /// The subscription that gives access at `moment`, of those that are this user's; nil if none does.
    ///
    /// The account's tier says already which is the effective one (R10), so one of that plan comes first; then the
    /// provider's before others, the later `created_at`, the greater id.
    public func activeSubscription(in subscriptions: [UserSubscription], at moment: Date) -> UserSubscription? {
        subscriptions
            .filter { $0.userID == id && $0.isActive(at: moment) }
            .max { left, right in rank(left).precedes(rank(right)) }
    }

    private func rank(_ subscription: UserSubscription) -> SubscriptionRank {
        SubscriptionRank(
            hasTier: subscription.planID == subscriptionTier, isProviders: subscription.isProviders,
            createdAt: subscription.createdAt, id: subscription.id)
    }
}

/// What decides between two subscriptions with access, the weightiest first.
private struct SubscriptionRank {
    var hasTier: Bool
    var isProviders: Bool
    var createdAt: Date
    var id: UUID

    func precedes(_ other: SubscriptionRank) -> Bool {
        if hasTier != other.hasTier { return other.hasTier }
        if isProviders != other.isProviders { return other.isProviders }
        if createdAt != other.createdAt { return createdAt < other.createdAt }
        return id < other.id
    }
}
