/// Why an account may not create a task now.
public enum TaskRefusal: Error, Sendable, Hashable {
    /// The account is switched off.
    case inactive
    /// No compute units are left; `remaining` is 0, or less if another program took more than there was.
    case noUnits(remaining: Int)
    /// The plan allows `limit` unfinished tasks (pending, queued, running) at once, and there are as many.
    case tooManyTasks(limit: Int)
}

extension TaskRefusal: CustomStringConvertible {
    public var description: String {
        switch self {
        case .inactive: "the account is not active"
        case .noUnits: "no compute units are left"
        case .tooManyTasks(let limit): "the plan allows \(limit) unfinished \(limit == 1 ? "task" : "tasks") at once"
        }
    }
}

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
