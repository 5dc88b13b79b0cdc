public import Foundation

/// An account with its plan, its subscription and what it used today, at one moment.
///
/// What it is entitled to is told for that moment, whether or not the clock has looked at the account since (R0).
public struct AccountOverview: Sendable, Hashable {
    /// With the tier, the units and the reset date of the moment.
    public var user: User
    /// The one in force.
    public var plan: SubscriptionPlan
    public var entitlement: Entitlement
    /// The one that gives access; nil if none does.
    public var subscription: UserSubscription?
    /// Today's, UTC; nil if nothing was used yet, or if usage is kept in a database of its own.
    public var usage: UsageAnalytics?
    /// Those that are pending, queued or running.
    public var unfinishedTasks: Int
    /// The moment that all of it is about.
    public var at: Date

    /// - Parameters:
    ///   - user: as the row is.
    ///   - plan: the one that the entitlement names.
    ///   - subscriptions: all of the account's.
    public init(
        user: User, plan: SubscriptionPlan, entitlement: Entitlement, subscriptions: [UserSubscription],
        usage: UsageAnalytics?, unfinishedTasks: Int, at: Date
    ) {
        self.user = user
        self.user.subscriptionTier = entitlement.planID
        self.user.computeUnitsRemaining = entitlement.computeUnitsRemaining
        self.user.computeUnitsResetDate = entitlement.computeUnitsResetDate
        self.plan = plan
        self.entitlement = entitlement
        subscription =
            if let id = entitlement.lemonSqueezySubscriptionID {
                subscriptions.first { $0.lemonSqueezySubscriptionID == id }
            } else {
                // A granted plan has no id of the provider's. What another program made gives no units.
                user.activeSubscription(
                    in: subscriptions.filter { entitlement.hasAccess ? $0.source == .granted : $0.source == nil },
                    at: at)
            }
        self.usage = usage
        self.unfinishedTasks = unfinishedTasks
        self.at = at
    }

    /// The units that the present month gave.
    public var computeUnitsLimit: Int { entitlement.computeUnitsGranted }
    /// What of the limit is gone.
    public var computeUnitsUsed: Int { entitlement.computeUnitsUsed }
    public var canCreateTask: Bool { user.canCreateTask(plan: plan, unfinishedTasks: unfinishedTasks) }
}
