public import Foundation
public import Selextract

/// An account with its plan, its subscription and what it used today, as they are stored.
public struct AccountOverview: Sendable, Hashable {
    public var user: User
    /// The one in force.
    public var plan: SubscriptionPlan
    /// The one that gives access; nil if none does.
    public var subscription: UserSubscription?
    /// Today's, UTC; nil if nothing was used yet.
    public var usage: UsageAnalytics?
    /// Those that are pending, queued or running.
    public var unfinishedTasks: Int
    /// The moment that all of it is about.
    public var at: Date

    /// - Parameter subscriptions: all of the account's; the one that gives access at `at` is chosen.
    public init(
        user: User, plan: SubscriptionPlan, subscriptions: [UserSubscription], usage: UsageAnalytics?,
        unfinishedTasks: Int, at: Date
    ) {
        self.user = user
        self.plan = plan
        self.subscription = user.activeSubscription(in: subscriptions, at: at)
        self.usage = usage
        self.unfinishedTasks = unfinishedTasks
        self.at = at
    }

    /// The units of a month of the plan.
    public var computeUnitsLimit: Int { user.computeUnitsLimit(plan: plan) }
    /// What of the limit is gone.
    public var computeUnitsUsed: Int { user.computeUnitsUsed(plan: plan) }
    public var canCreateTask: Bool { user.canCreateTask(plan: plan, unfinishedTasks: unfinishedTasks) }
}
