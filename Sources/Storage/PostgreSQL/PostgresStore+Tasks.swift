public import Foundation
import Postgres
public import Selextract

extension PostgresStore {
    /// Of the account `u`.
    static let unfinishedTasks = """
        (select count(*) from tasks where user_id = u.id and status in ('pending', 'queued', 'running'))
        """

    /// Another program may have written a tier that is no plan.
    static let planInForce = """
        coalesce((select id from subscription_plans where id = u.subscription_tier), 'free')
        """

    public func overview(user: UUID) async throws -> AccountOverview? {
        let moment = clock?()
        return try await query(
            """
            select to_jsonb(u), to_jsonb(p), to_jsonb(e), to_jsonb(a),
                (select coalesce(jsonb_agg(s), '[]') from user_subscriptions s where s.user_id = u.id),
                \(unescaped: Self.unfinishedTasks), moment.at
            from (select coalesce(\(moment), now()) as at) as moment
            cross join users u
            join \(entitlementsAt: moment) as e on e.user_id = u.id
            join subscription_plans p on p.id = e.plan_id
            left join usage_analytics a on a.user_id = u.id and a.date = (moment.at at time zone 'utc')::date
            where u.id = \(user)
            """
        ).first.map { row in
            let (user, plan, entitlement, usage, subscriptions, unfinished, at) = try row.decode(
                PostgresJSON.self, PostgresJSON.self, PostgresJSON.self, PostgresJSON?.self, PostgresJSON.self,
                Int.self, Date.self)
            return AccountOverview(
                user: try user.row(), plan: try plan.row(), entitlement: try entitlement.row(),
                subscriptions: try subscriptions.row(), usage: try usage?.row(), unfinishedTasks: unfinished, at: at)
        }
    }

    public func task(_ id: UUID, of user: UUID) async throws -> ScrapingTask? {
        try await query("select to_jsonb(t) from tasks t where id = \(id) and user_id = \(user)")
            .rows(ScrapingTask.self).first
    }

    public func tasks(of user: UUID, logs: Int, limit: Int, before: Cursor?) async throws -> [LoggedTask] {
        try await query(
            """
            select to_jsonb(t), l.logs
            from (
                select * from tasks
                where user_id = \(user)
                    and \(behind: before, in: "tasks")
                order by created_at desc, id desc limit \(limit)
            ) as t
            cross join lateral (
                select coalesce(jsonb_agg(latest order by latest.timestamp desc, latest.id desc), '[]') as logs
                from (
                    select * from task_logs where task_id = t.id order by timestamp desc, id desc limit \(logs)
                ) as latest
            ) as l
            order by t.created_at desc, t.id desc
            """
        ).map { row in
            let (task, logs) = try row.decode(PostgresJSON.self, PostgresJSON.self)
            return LoggedTask(task: try task.row(), logs: try logs.row())
        }
    }

    public func logs(task: UUID, of user: UUID, limit: Int, before: Cursor?) async throws -> [TaskLog] {
        try await query(
            """
            select to_jsonb(l) from task_logs l join tasks t on t.id = l.task_id
            where l.task_id = \(task) and t.user_id = \(user)
                and \(behind: before, in: "task_logs", alias: "l", by: "timestamp")
            order by l.timestamp desc, l.id desc limit \(limit)
            """
        ).rows()
    }

    public func add(_ logs: [TaskLog], of user: UUID) async throws -> Int {
        guard !logs.isEmpty else { return 0 }
        return try await transaction { try await $0.add(logs, of: user) }
    }

    static func insertion(of logs: [TaskLog], user: UUID) throws -> PostgresQuery {
        """
        insert into task_logs (id, task_id, level, message, metadata, timestamp)
        select new.*
        from unnest(
            \(logs.map(\.id)), \(logs.map(\.taskID)), \(logs.map(\.level)), \(logs.map(\.message)),
            \(try logs.map { try $0.metadata.map(PostgresJSON.init) }), \(logs.map(\.timestamp))
        ) as new (id, task_id, level, message, metadata, timestamp)
        join tasks t on t.id = new.task_id
        where t.user_id = \(user)
        on conflict (id) do nothing
        """
    }
}
