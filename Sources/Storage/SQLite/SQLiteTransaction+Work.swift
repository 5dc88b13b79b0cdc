import Foundation
import GRDB
import Selextract

extension SQLiteTransaction {
    func workload(of user: UUID) async throws -> Workload? {
        try await connection.transact { try $0.workload(of: user) }
    }

    /// Nobody else writes until the transaction ends.
    func lockTask(_ id: UUID, of user: UUID) async throws -> ScrapingTask? {
        try await connection.query(SQLiteStore.taskQuery(id, of: user)).map(ScrapingTask.init(row:)).first
    }

    func insert(_ task: ScrapingTask) async throws -> ScrapingTask {
        do {
            let rows = try await connection.query(
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
                returning \(unescaped: ScrapingTask.sqliteColumns)
                """)
            return try ScrapingTask(row: rows[0])
        } catch let error as DatabaseError where error.isUniqueViolation {
            throw StoreError.conflict("a task with that id exists already")
        }
    }

    func save(_ task: ScrapingTask) async throws -> ScrapingTask {
        try await connection.query(
            """
            update tasks set
                status = \(task.status), started_at = \(task.startedAt), completed_at = \(task.completedAt),
                compute_units_consumed = \(task.computeUnitsConsumed), progress = \(task.progress),
                error_message = \(task.errorMessage), result_file_path = \(task.resultFilePath)
            where id = \(task.id) and user_id = \(task.userID)
            """)
        // `returning` would not show what the trigger writes after it.
        guard let saved = try await lockTask(task.id, of: task.userID) else {
            throw StoreError.notFound("task “\(task.id.text)”")
        }
        return saved
    }

    func lockSubscription(_ id: UUID, of user: UUID) async throws -> UserSubscription? {
        try await connection.query(
            """
            select \(unescaped: SQLiteStore.subscriptionColumns) from user_subscriptions
            where id = \(id) and user_id = \(user)
            """
        ).map(UserSubscription.init(row:)).first
    }

    func insert(_ subscription: UserSubscription) async throws -> UserSubscription {
        let rows = try await connection.query(
            """
            insert into user_subscriptions (
                id, user_id, plan_id, status, current_period_start, current_period_end, created_at
            )
            values (
                \(subscription.id), \(subscription.userID), \(subscription.planID), \(subscription.status),
                \(subscription.currentPeriodStart), \(subscription.currentPeriodEnd), \(subscription.createdAt)
            )
            returning \(unescaped: SQLiteStore.subscriptionColumns)
            """)
        return try UserSubscription(row: rows[0])
    }

    func save(_ subscription: UserSubscription) async throws -> UserSubscription {
        try await connection.query(
            """
            update user_subscriptions set
                status = \(subscription.status), current_period_start = \(subscription.currentPeriodStart),
                current_period_end = \(subscription.currentPeriodEnd),
                cancel_at_period_end = \(subscription.cancelAtPeriodEnd), renews_at = \(subscription.renewsAt),
                ends_at = \(subscription.endsAt), pause_mode = \(subscription.pauseMode),
                pause_resumes_at = \(subscription.pauseResumesAt)
            where id = \(subscription.id)
            """)
        guard let saved = try await lockSubscription(subscription.id, of: subscription.userID) else {
            throw StoreError.notFound("subscription “\(subscription.id.text)”")
        }
        return saved
    }

    func deleteUser(_ id: UUID) async throws -> Bool {
        try await !connection.query("delete from users where id = \(id) returning 1").isEmpty
    }

    func add(_ logs: [TaskLog], of user: UUID) async throws -> Int {
        try await connection.transact { try $0.add(logs, of: user) }
    }

    func add(_ usage: [UsageAddition]) async throws {
        try await connection.transact { try $0.add(usage) }
    }
}

extension SQLiteConnection {
    func workload(of id: UUID) throws -> Workload? {
        guard let user = try query(SQLiteStore.userQuery(id)).first.map(User.init(row:)) else { return nil }
        // Another program may have written a tier that is no plan.
        let plans = try query(SQLiteStore.plansQuery).map(SubscriptionPlan.init(row:))
        guard
            let plan = plans.first(where: { $0.id == user.subscriptionTier })
                ?? plans.first(where: { $0.id == SubscriptionPlan.freeID })
        else { return nil }
        return Workload(user: user, plan: plan, unfinishedTasks: try unfinishedTasks(of: id))
    }

    func unfinishedTasks(of user: UUID) throws -> Int {
        try query("select count(*) from tasks where user_id = \(user) and status in ('pending', 'queued', 'running')")
            .values(Int.self)[0]
    }

    func add(_ logs: [TaskLog], of user: UUID) throws -> Int {
        // One that is not finite must not become a null unseen.
        for log in logs { _ = try log.metadata?.json() }
        return try query(
            """
            insert into task_logs (id, task_id, level, message, metadata, timestamp)
            select ?, id, ?, ?, ?, ? from tasks where id = ? and user_id = ?
            on conflict (id) do nothing
            returning 1
            """,
            forEach: logs.map { log in
                [
                    log.id.sqliteValue, log.level.sqliteValue, log.message.sqliteValue, log.metadata.sqliteValue,
                    log.timestamp.sqliteValue, log.taskID.sqliteValue, user.sqliteValue,
                ]
            }
        ).count
    }

    func add(_ usage: [UsageAddition]) throws {
        try query(
            """
            insert into usage_analytics as a (user_id, date, tasks_executed, compute_units_used, api_calls)
            select id, ?, ?, ?, ? from users where id = ?
            on conflict (user_id, date) do update set
                tasks_executed = a.tasks_executed + excluded.tasks_executed,
                compute_units_used = a.compute_units_used + excluded.compute_units_used,
                api_calls = a.api_calls + excluded.api_calls
            """,
            forEach: usage.map { row in
                [
                    row.date.sqliteValue, row.tasksExecuted.sqliteValue, row.computeUnitsUsed.sqliteValue,
                    row.apiCalls.sqliteValue, row.userID.sqliteValue,
                ]
            })
    }
}
