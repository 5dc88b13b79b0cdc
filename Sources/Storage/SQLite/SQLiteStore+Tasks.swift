public import Foundation
public import Selextract

extension SQLiteStore {
    static func userQuery(_ id: UUID) -> SQLiteQuery {
        "select \(unescaped: userColumns) from users where id = \(id)"
    }

    static func taskQuery(_ id: UUID, of user: UUID) -> SQLiteQuery {
        "select \(unescaped: ScrapingTask.sqliteColumns) from tasks where id = \(id) and user_id = \(user)"
    }

    /// Several statements, but one visit, and one state of the database.
    public func overview(user: UUID) async throws -> AccountOverview? {
        let moment = clock?()
        return try await read { connection in
            guard let account = try connection.query(Self.userQuery(user)).first.map(User.init(row:)),
                let entitlement = try connection.query(Self.entitlementQuery(user: user, at: moment)).first
                    .map(Entitlement.init(row:)),
                let plan = try connection.query(Self.plansQuery).map(SubscriptionPlan.init(row:))
                    .first(where: { $0.id == entitlement.planID })
            else { return nil }
            let at = try connection.query("select coalesce(\(moment), \(unescaped: Self.moment))").values(Date.self)[0]
            let today = UsageDay(containing: at)
            let usage = try connection.query(Self.usageQuery(of: user, from: today, through: today))
            let subscriptions = try connection.query(
                "select \(unescaped: Self.subscriptionColumns) from user_subscriptions where user_id = \(user)")
            return AccountOverview(
                user: account, plan: plan, entitlement: entitlement,
                subscriptions: try subscriptions.map(UserSubscription.init(row:)),
                usage: try usage.first.map(UsageAnalytics.init(row:)),
                unfinishedTasks: try connection.unfinishedTasks(of: user), at: at)
        }
    }

    public func task(_ id: UUID, of user: UUID) async throws -> ScrapingTask? {
        try await query(Self.taskQuery(id, of: user)).map(ScrapingTask.init(row:)).first
    }

    public func tasks(of user: UUID, logs: Int, limit: Int, before: Cursor?) async throws -> [LoggedTask] {
        try await read { connection in
            let tasks = try connection.query(
                """
                select \(unescaped: ScrapingTask.sqliteColumns) from tasks
                where user_id = \(user)
                    and \(behind: before, in: "tasks")
                order by created_at desc, id desc limit \(limit)
                """
            ).map(ScrapingTask.init(row:))
            return try tasks.map { task in
                LoggedTask(
                    task: task,
                    logs: try connection.query(
                        """
                        select id, task_id, level, message, metadata, timestamp from task_logs
                        where task_id = \(task.id) order by timestamp desc, id desc limit \(logs)
                        """
                    ).map(TaskLog.init(row:)))
            }
        }
    }

    public func logs(task: UUID, of user: UUID, limit: Int, before: Cursor?) async throws -> [TaskLog] {
        try await query(
            """
            select l.id, l.task_id, l.level, l.message, l.metadata, l.timestamp
            from task_logs l join tasks t on t.id = l.task_id
            where l.task_id = \(task) and t.user_id = \(user)
                and \(behind: before, in: "task_logs", alias: "l", by: "timestamp")
            order by l.timestamp desc, l.id desc limit \(limit)
            """
        ).map(TaskLog.init(row:))
    }

    public func add(_ logs: [TaskLog], of user: UUID) async throws -> Int {
        guard !logs.isEmpty else { return 0 }
        return try await write { writer in try await writer.transact { try $0.add(logs, of: user) } }
    }
}
