import Databases
public import Foundation
public import Selextract

// Tasks, their logs, usage, and subscriptions that are not the provider's. Locks are taken in the fold's order: first
// the account, by a fold, then its tasks.

extension StoreTransaction {
    /// What decides about a further task; to be read when the account is locked and up to date.
    package func workload(of user: UUID) async throws -> Workload? {
        try await fetch(
            Query<Workload>(
                """
                select \(raw: User.columns.list(of: "u")), \(raw: SubscriptionPlan.columns.list(of: "p")),
                    \(.unfinishedTasks)
                from users u
                -- Another program may have written a tier that is no plan.
                join subscription_plans p on p.id = coalesce(
                    (select id from subscription_plans where id = u.subscription_tier), 'free'
                )
                where u.id = \(user)
                """
            ) { row in
                Workload(
                    user: try row.record(User.self), plan: try row.record(SubscriptionPlan.self),
                    unfinishedTasks: try row["unfinished_tasks"])
            }
        ).first
    }

    /// Locks the task's row until the transaction ends.
    ///
    /// - Throws: `StoreError.notFound` if the account has no such task.
    package func lockTask(_ id: UUID, of user: UUID) async throws -> ScrapingTask {
        let tasks = try await fetch(
            Query<ScrapingTask>(select: "from tasks where id = \(id) and user_id = \(user) \(.locking)"))
        guard let task = tasks.first else { throw StoreError.notFound("task “\(id.text)”") }
        return task
    }

    /// - Returns: the row as it is stored.
    /// - Throws: `StoreError.conflict` if the id is taken.
    package func insert(_ task: ScrapingTask) async throws -> ScrapingTask {
        // Throws if it holds a number that is not finite, which would be stored as null.
        _ = try task.config.json()
        do {
            let (_, tasks) = try await fetch(
                Query<Void>(
                    """
                    insert into tasks (
                        id, user_id, name, description, task_type, config, status, priority, scheduled_at,
                        estimated_compute_units, created_at
                    )
                    values (
                        \(task.id), \(task.userID), \(task.name), \(task.description), \(task.taskType), \(task.config),
                        \(task.status), \(task.priority), \(task.scheduledAt), \(task.estimatedComputeUnits),
                        \(task.createdAt)
                    )
                    """), .task(task.id))
            return tasks[0]
        } catch let violation as ConstraintViolation where violation.kind == .unique {
            throw StoreError.conflict("a task with that id exists already")
        }
    }

    /// Writes what a transition can change: status, times, units, progress, message, path.
    ///
    /// - Returns: the row as it is stored.
    package func save(_ task: ScrapingTask) async throws -> ScrapingTask {
        let (_, tasks) = try await fetch(
            Query<Void>(
                """
                update tasks set
                    status = \(task.status), started_at = \(task.startedAt), completed_at = \(task.completedAt),
                    compute_units_consumed = \(task.computeUnitsConsumed), progress = \(task.progress),
                    error_message = \(task.errorMessage), result_file_path = \(task.resultFilePath)
                where id = \(task.id) and user_id = \(task.userID)
                """), .task(task.id))
        guard let saved = tasks.first else { throw StoreError.notFound("task “\(task.id.text)”") }
        return saved
    }

    /// Locks the subscription's row until the transaction ends; nil if the account has no such subscription.
    package func lockSubscription(_ id: UUID, of user: UUID) async throws -> UserSubscription? {
        try await fetch(
            Query<UserSubscription>(
                select: "from user_subscriptions where id = \(id) and user_id = \(user) \(.locking)")
        ).first
    }

    /// For one that is not the provider's.
    ///
    /// - Returns: the row as it is stored.
    package func insert(_ subscription: UserSubscription) async throws -> UserSubscription {
        let (_, rows) = try await fetch(
            Query<Void>(
                """
                insert into user_subscriptions (
                    id, user_id, plan_id, status, current_period_start, current_period_end, created_at
                )
                values (
                    \(subscription.id), \(subscription.userID), \(subscription.planID), \(subscription.status),
                    \(subscription.currentPeriodStart), \(subscription.currentPeriodEnd), \(subscription.createdAt)
                )
                """), .subscription(subscription.id))
        return rows[0]
    }

    /// Writes what cancelling and renewing can change.
    ///
    /// - Returns: the row as it is stored.
    package func save(_ subscription: UserSubscription) async throws -> UserSubscription {
        let (_, rows) = try await fetch(
            Query<Void>(
                """
                update user_subscriptions set
                    status = \(subscription.status), current_period_start = \(subscription.currentPeriodStart),
                    current_period_end = \(subscription.currentPeriodEnd),
                    cancel_at_period_end = \(subscription.cancelAtPeriodEnd), renews_at = \(subscription.renewsAt),
                    ends_at = \(subscription.endsAt), pause_mode = \(subscription.pauseMode),
                    pause_resumes_at = \(subscription.pauseResumesAt)
                where id = \(subscription.id)
                """), .subscription(subscription.id))
        guard let saved = rows.first else { throw StoreError.notFound("subscription “\(subscription.id.text)”") }
        return saved
    }

    /// Writes logs. Those that are stored already, or whose task the account does not have (any more), are left out.
    ///
    /// - Returns: how many were written.
    @discardableResult
    package func add(_ logs: [TaskLog], of user: UUID) async throws -> Int {
        guard !logs.isEmpty else { return 0 }
        // Throws if it holds a number that is not finite, which would be stored as null.
        for log in logs { _ = try log.metadata?.json() }
        let columns = TaskLog.columns
        return try await fetch(
            Query<Int>(
                """
                insert into task_logs (\(raw: columns.list))
                select \(raw: columns.list(of: "new")) from \(TaskLog.table.set(logs)) join tasks t on t.id = new.task_id
                where t.user_id = \(user)
                on conflict (id) do nothing
                returning 1
                """)
        ).count
    }

    /// Adds to what is stored. That of accounts which do not exist (any more) is left out.
    package func add(_ usage: [UsageAddition]) async throws {
        guard !usage.isEmpty else { return }
        try await run(
            """
            insert into usage_analytics (user_id, date, tasks_executed, compute_units_used, api_calls)
            select new.user_id, new.date, new.tasks_executed, new.compute_units_used, new.api_calls
            from \(UsageAddition.table.set(usage.byDay)) join users u on u.id = new.user_id
            where true
            order by new.user_id, new.date
            on conflict (user_id, date) do update set
                tasks_executed = usage_analytics.tasks_executed + excluded.tasks_executed,
                compute_units_used = usage_analytics.compute_units_used + excluded.compute_units_used,
                api_calls = usage_analytics.api_calls + excluded.api_calls
            """)
    }
}

extension Store {
    public func task(_ id: UUID, of user: UUID) async throws -> ScrapingTask? {
        try await reads.fetch(Query<ScrapingTask>(select: "from tasks where id = \(id) and user_id = \(user)")).first
    }

    /// Writes logs, many a statement. Those that are stored already, or whose task the account does not have (any
    /// more), are left out.
    ///
    /// - Returns: how many were written.
    @discardableResult
    public func add(_ logs: [TaskLog], of user: UUID) async throws -> Int {
        if logs.isEmpty { return 0 }
        return try await transaction { try await $0.add(logs, of: user) }
    }

    /// Adds to what is stored, many a statement. That of accounts which do not exist (any more) is left out.
    public func add(_ usage: [UsageAddition]) async throws {
        if !usage.isEmpty { try await transaction { try await $0.add(usage) } }
    }
}

extension Query where Result == ScrapingTask {
    fileprivate static func task(_ id: UUID) -> Query { Query(select: "from tasks where id = \(id)") }
}

extension Query where Result == UserSubscription {
    fileprivate static func subscription(_ id: UUID) -> Query {
        Query(select: "from user_subscriptions where id = \(id)")
    }
}

extension [UsageAddition] {
    /// One for each account and day: a statement cannot change a row twice. In the order of the index, so that two
    /// batches never wait for each other.
    fileprivate var byDay: [UsageAddition] {
        var sums: [UsageAddition] = []
        for addition in sorted(by: { ($0.userID.text, $0.date) < ($1.userID.text, $1.date) }) {
            guard let last = sums.last, last.userID == addition.userID, last.date == addition.date else {
                sums.append(addition)
                continue
            }
            let place = sums.count - 1
            sums[place].tasksExecuted += addition.tasksExecuted
            sums[place].computeUnitsUsed += addition.computeUnitsUsed
            sums[place].apiCalls += addition.apiCalls
        }
        return sums
    }
}
