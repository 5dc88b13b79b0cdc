extension User {
    /// Why it may not create a task now; nil if it may. `plan` is the one in force, `unfinishedTasks` counts those that
    /// are pending, queued or running.
    public func taskRefusal(plan: SubscriptionPlan, unfinishedTasks: Int) -> TaskRefusal? {
        if !isActive { return .inactive }
        if computeUnitsRemaining <= 0 { return .noUnits(remaining: computeUnitsRemaining) }
        if unfinishedTasks >= plan.maxConcurrentTasks { return .tooManyTasks(limit: plan.maxConcurrentTasks) }
        return nil
    }

    /// Whether it is active, has units left, and has fewer unfinished tasks than its plan allows.
    public func canCreateTask(plan: SubscriptionPlan, unfinishedTasks: Int) -> Bool {
        taskRefusal(plan: plan, unfinishedTasks: unfinishedTasks) == nil
    }
}
