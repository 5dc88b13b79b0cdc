public import Foundation

extension UserSubscription {
    /// Whether it is a subscription at the provider, which only the provider may change.
    public var isProviders: Bool { lemonSqueezySubscriptionID != nil }

    /// Whether it gives access at `moment` (R9).
    ///
    /// A row of another program that is to be cancelled at the period's end without having the status `cancelled` yet
    /// gives none from there on.
    public func isActive(at moment: Date) -> Bool {
        let isOver = source == nil && !isProviders && cancelAtPeriodEnd && moment >= currentPeriodEnd
        return (!isOver || status == "cancelled" || status == "paused") && access.isGiven(at: moment)
    }

    private var access: Access {
        Access(
            status: status, isGranted: source == .granted, currentPeriodEnd: currentPeriodEnd, endsAt: endsAt,
            pauseMode: pauseMode, pauseResumesAt: pauseResumesAt)
    }

    /// Whether the provider may still take money for it, so that its account should not be deleted unasked (R20).
    public var isRunning: Bool {
        source == .provider && ["on_trial", "active", "past_due", "unpaid", "paused"].contains(status)
    }

    /// Days until `current_period_end`, when it renews: whole ones, a started day counts, so on the day before it is 1;
    /// 0 if that has passed. nil if it won't renew: it is cancelled, paused, unpaid, expired or of an unknown status.
    public func daysUntilRenewal(at moment: Date) -> Int? {
        guard ["on_trial", "active", "past_due"].contains(status), !cancelAtPeriodEnd else { return nil }
        let days = (currentPeriodEnd.timeIntervalSince(moment) / 86_400).rounded(.up)
        return Int(min(max(days, 0), Double(Int32.max)))
    }
}

extension User {
    /// The subscription that gives access at `moment`, of those that are this account's; nil if none does.
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

/// Decides between two subscriptions with access: the first property that differs does.
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
