/// What decides whether an account may create a task.
public struct Workload: Sendable, Hashable {
    public var user: User
    /// The one in force.
    public var plan: SubscriptionPlan
    /// Those that are pending, queued or running.
    public var unfinishedTasks: Int

    public init(user: User, plan: SubscriptionPlan, unfinishedTasks: Int) {
        self.user = user
        self.plan = plan
        self.unfinishedTasks = unfinishedTasks
    }

    /// nil: it may.
    public var refusal: TaskRefusal? { user.taskRefusal(plan: plan, unfinishedTasks: unfinishedTasks) }
}
