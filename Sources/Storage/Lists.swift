public import Databases
public import Foundation
public import Selextract

/// The catalogue and lists: what may be read from a replica, and be a moment behind there.
///
/// What decides, and API keys, are read from the primary alone.
public struct Lists: Sendable {
    let driver: any DatabaseDriver
    /// nil: usage is where everything is.
    let usageDatabase: UsageDatabase?

    init(_ driver: any DatabaseDriver, usageDatabase: UsageDatabase? = nil) {
        self.driver = driver
        self.usageDatabase = usageDatabase
    }

    /// All plans, cheapest first.
    public func plans() async throws -> [SubscriptionPlan] { try await driver.fetch(.plans) }

    /// Variant id to plan id: the plans' own, and the further ones.
    public func variants() async throws -> [String: String] {
        let rows = try await driver.fetch(
            Query<(String, String)>(
                """
                select variant_id, plan_id from plan_variants
                union all
                select lemon_squeezy_variant_id, id from subscription_plans where lemon_squeezy_variant_id is not null
                """
            ) { (try $0.next(), try $0.next()) })
        return Dictionary(rows) { _, own in own }
    }

    /// Newest first.
    public func users(limit: Int, before: Cursor?) async throws -> Listing<User> {
        try await driver.list(
            Query<User>(
                select: """
                    from users where \(.behind(before, in: "users"))
                    order by created_at desc, id desc limit \(limit)
                    """))
    }

    /// Newest first; of one account or of all.
    public func subscriptions(
        user: UUID?, limit: Int, before: Cursor?
    ) async throws -> Listing<UserSubscription> {
        try await driver.list(
            Query<UserSubscription>(
                select: """
                    from user_subscriptions
                    where \(.ownedBy(user)) and \(.behind(before, in: "user_subscriptions"))
                    order by created_at desc, id desc limit \(limit)
                    """))
    }

    /// In order of arrival, the newest first.
    ///
    /// - Parameter looked: so many events are looked at, the newest: where no index answers the filter; nil: all are.
    public func eventRecords(
        _ filter: EventFilter, limit: Int, before: Cursor?, lookingAt looked: Int? = nil
    ) async throws -> Listing<EventRecord> {
        let behind: SQL = if let before { "arrival < \(.arrival(of: before))" } else { "true" }
        let events: SQL =
            if let looked {
                "(select * from webhook_events where \(behind) order by arrival desc limit \(looked)) as webhook_events"
            } else { "webhook_events" }
        var sql: SQL = "from \(events) where \(filter.condition)"
        if looked == nil { sql += " and \(behind)" }
        // In the order of another index the few events of one account would be looked for among all.
        let order: SQL = filter.isOfFew ? "arrival + 0" : "arrival"
        return try await driver.list(Query<EventRecord>(select: sql + " order by \(order) desc limit \(limit)"))
    }

    /// The last of so many events, the newest first; nil: there are fewer.
    public func event(_ number: Int, before: Cursor?) async throws -> Cursor? {
        let behind: SQL = if let before { "arrival < \(.arrival(of: before))" } else { "true" }
        return try await driver.fetch(
            Query<Cursor>(
                """
                select received_at, id from webhook_events where \(behind)
                order by arrival desc limit 1 offset \(number - 1)
                """
            ) { Cursor(at: try $0.next(), id: try $0.next()) }
        ).first
    }

    /// Newest first, each with the latest of its logs, in one round trip.
    ///
    /// - Parameter logs: how many of each task, 0 or more.
    public func tasks(
        of user: UUID, logs: Int, limit: Int, before: Cursor?
    ) async throws -> Listing<LoggedTask> {
        let rows = try await driver.fetch(
            Query<TaskRow>(
                """
                select \(raw: ScrapingTask.columns.list(of: "t")), \(raw: TaskLog.columns.list(of: "l"))
                from (
                    select * from tasks where user_id = \(user) and \(.behind(before, in: "tasks"))
                    order by created_at desc, id desc limit \(limit)
                ) as t
                \(.latestLogs(logs))
                order by t.created_at desc, t.id desc, l.timestamp desc, l.id desc
                """
            ) { try TaskRow(row: &$0) })
        var tasks: [Result<LoggedTask, UnreadableRow>] = []
        var unreadable: [UnreadableRow] = []
        for row in rows {
            switch row.task {
            case .failure(let task):
                // Once, however many logs it has.
                if tasks.last != .failure(task) { tasks.append(.failure(task)) }
            case .success(let task):
                var logged = LoggedTask(task: task, logs: [])
                if case .success(let last)? = tasks.last, last.id == task.id {
                    logged = last
                    tasks.removeLast()
                }
                switch row.log {
                case .success(let log)?: logged.logs.append(log)
                case .failure(let log)?: unreadable.append(log)
                case nil: break
                }
                tasks.append(.success(logged))
            }
        }
        return Listing(tasks, further: unreadable)
    }

    /// Newest first; of one account or of all.
    ///
    /// - Parameter condition: what `config` has to contain, as PostgreSQL's `@>` has it; nil: anything. PostgreSQL finds it
    ///   by an index, on SQLite task after task is read.
    public func tasks(
        of user: UUID?, where condition: MetadataValue?, limit: Int, before: Cursor?
    ) async throws -> Listing<ScrapingTask> {
        var (found, cursor): ([Result<ScrapingTask, UnreadableRow>], Cursor?) = ([], before)
        while true {
            let read = max(limit - found.count, 500)
            let page = try await driver.list(
                Query<ScrapingTask>(
                    select: """
                        from \(.tasks(containing: condition)) where \(.ownedBy(user)) and \(.behind(cursor, in: "tasks"))
                        order by created_at desc, id desc limit \(read)
                        """))
            // What cannot be read may be what is looked for.
            found += page.entries.filter { entry in
                guard let condition, case .success(let task) = entry else { return true }
                return task.config.contains(condition)
            }
            guard found.count < limit, page.entries.count == read, let last = page.rows.last else {
                return Listing(Array(found.prefix(limit)))
            }
            cursor = Cursor(at: last.createdAt, id: last.id)
        }
    }

    /// A task's logs, newest first. The cursor holds a log's timestamp.
    public func logs(
        task: UUID, of user: UUID, limit: Int, before: Cursor?
    ) async throws -> Listing<TaskLog> {
        try await driver.list(
            Query<TaskLog>(
                """
                select \(raw: TaskLog.columns.list(of: "l")) from task_logs l join tasks t on t.id = l.task_id
                where l.task_id = \(task) and t.user_id = \(user)
                    and \(.behind(before, in: "task_logs", alias: "l", by: "timestamp"))
                order by l.timestamp desc, l.id desc limit \(limit)
                """
            ) { try $0.record() })
    }
}

/// A task beside one of its logs.
private struct TaskRow: Sendable {
    var task: Result<ScrapingTask, UnreadableRow>
    /// nil: it has none, or the task itself cannot be read.
    var log: Result<TaskLog, UnreadableRow>?

    init(row: inout RowReader) throws {
        task = try row.recordOrName()
        guard case .success = task, try !row.isNull("id") else { return }
        log = .some(try row.recordOrName())
    }
}

extension Query where Result == SubscriptionPlan {
    /// Cheapest first.
    static var plans: Query { Query(select: "from subscription_plans order by price_cents, id") }
}

extension SQL {
    /// The arrival of the event that a page ended with. If that is gone, those behind it are known by their time: the
    /// page goes on at the newest that came no later, where a `Date` may not hold all of a moment.
    fileprivate static func arrival(of cursor: Cursor) -> SQL {
        """
        coalesce(
            (select arrival from webhook_events where id = \(cursor.id)),
            (
                select arrival + 1 from webhook_events where received_at < \(cursor.at + 0.001)
                order by arrival desc limit 1
            )
        )
        """
    }

    /// The tasks, as far as the database itself tells by an index which ones contain something: planned by itself, so that no
    /// other index is walked through in the order of creation.
    fileprivate static func tasks(containing condition: MetadataValue?) -> SQL {
        guard let condition else { return "tasks" }
        return SQL(
            postgreSQL: { "(select * from tasks where config @> \(condition) offset 0) as tasks" },
            sqlite: { SQLiteDialect.tasks(containing: condition) })
    }

    /// Joins the latest logs, as `l`, of each task `t`.
    fileprivate static func latestLogs(_ limit: Int) -> SQL {
        let latest: SQL = "from task_logs where task_id = t.id order by timestamp desc, id desc limit \(limit)"
        return SQL(
            postgreSQL: { "left join lateral (select * \(latest)) as l on true" },
            sqlite: { "left join task_logs l on l.id in (select id \(latest))" })
    }
}

/// A task and the latest lines of its log.
public struct LoggedTask: Sendable, Hashable, Identifiable {
    public var task: ScrapingTask
    /// Newest first.
    public var logs: [TaskLog]

    public var id: UUID { task.id }

    public init(task: ScrapingTask, logs: [TaskLog]) {
        self.task = task
        self.logs = logs
    }
}
