import Foundation
import Postgres
import Selextract

extension PostgresTransaction {
    func workload(of user: UUID) async throws -> Workload? {
        try await connection.query(
            """
            select to_jsonb(u), to_jsonb(p), \(unescaped: PostgresStore.unfinishedTasks)
            from users u join subscription_plans p on p.id = \(unescaped: PostgresStore.planInForce)
            where u.id = \(user)
            """
        ).first.map { row in
            let (user, plan, unfinished) = try row.decode(PostgresJSON.self, PostgresJSON.self, Int.self)
            return Workload(user: try user.row(), plan: try plan.row(), unfinishedTasks: unfinished)
        }
    }

    func lockTask(_ id: UUID, of user: UUID) async throws -> ScrapingTask? {
        try await connection.query(
            "select to_jsonb(t) from tasks t where t.id = \(id) and t.user_id = \(user) for no key update"
        ).rows(ScrapingTask.self).first
    }

    func insert(_ task: ScrapingTask) async throws -> ScrapingTask {
        do {
            let rows = try await connection.query(
                """
                insert into tasks as t (
                    id, user_id, name, description, task_type, config, status, priority, scheduled_at,
                    estimated_compute_units, created_at
                )
                values (
                    \(task.id), \(task.userID), \(task.name), \(task.description), \(task.taskType),
                    \(try PostgresJSON(task.config)), \(task.status), \(task.priority), \(task.scheduledAt),
                    \(task.estimatedComputeUnits), \(task.createdAt)
                )
                returning to_jsonb(t)
                """)
            return try rows.rows()[0]
        } catch let error as PostgresError where error.isUniqueViolation {
            throw StoreError.conflict("a task with that id exists already")
        }
    }

    func save(_ task: ScrapingTask) async throws -> ScrapingTask {
        let rows = try await connection.query(
            """
            update tasks t set
                status = \(task.status), started_at = \(task.startedAt), completed_at = \(task.completedAt),
                compute_units_consumed = \(task.computeUnitsConsumed), progress = \(task.progress),
                error_message = \(task.errorMessage), result_file_path = \(task.resultFilePath)
            where t.id = \(task.id) and t.user_id = \(task.userID)
            returning to_jsonb(t)
            """)
        guard let saved = try rows.rows(ScrapingTask.self).first else {
            throw StoreError.notFound("task “\(task.id.text)”")
        }
        return saved
    }

    func lockSubscription(_ id: UUID, of user: UUID) async throws -> UserSubscription? {
        try await connection.query(
            "select to_jsonb(s) from user_subscriptions s where s.id = \(id) and s.user_id = \(user) for no key update"
        ).rows(UserSubscription.self).first
    }

    func insert(_ subscription: UserSubscription) async throws -> UserSubscription {
        try await connection.query(
            """
            insert into user_subscriptions as s (
                id, user_id, plan_id, status, current_period_start, current_period_end, created_at
            )
            values (
                \(subscription.id), \(subscription.userID), \(subscription.planID), \(subscription.status),
                \(subscription.currentPeriodStart), \(subscription.currentPeriodEnd), \(subscription.createdAt)
            )
            returning to_jsonb(s)
            """
        ).rows()[0]
    }

    func save(_ subscription: UserSubscription) async throws -> UserSubscription {
        try await connection.query(
            """
            update user_subscriptions s set
                status = \(subscription.status), current_period_start = \(subscription.currentPeriodStart),
                current_period_end = \(subscription.currentPeriodEnd),
                cancel_at_period_end = \(subscription.cancelAtPeriodEnd), renews_at = \(subscription.renewsAt),
                ends_at = \(subscription.endsAt), pause_mode = \(subscription.pauseMode),
                pause_resumes_at = \(subscription.pauseResumesAt)
            where s.id = \(subscription.id)
            returning to_jsonb(s)
            """
        ).rows()[0]
    }

    func deleteUser(_ id: UUID) async throws -> Bool {
        try await connection.query("delete from users where id = \(id)").affected > 0
    }

    func add(_ logs: [TaskLog], of user: UUID) async throws -> Int {
        guard !logs.isEmpty else { return 0 }
        return try await connection.query(PostgresStore.insertion(of: logs, user: user)).affected
    }

    func add(_ usage: [UsageAddition]) async throws {
        guard !usage.isEmpty else { return }
        _ = try await connection.query(PostgresStore.insertion(of: usage))
    }
}
