import Databases

/// What taking over another program's database found, and did.
public struct SchemaAdoption: Sendable, Hashable {
    /// Rows that this program's schema refuses.
    public struct Refusal: Sendable, Hashable {
        public var table: String
        /// For people.
        public var problem: String
        /// What is done about them if asked for, for people; nil: it has to be decided by a person.
        public var mend: String?
        /// Of the rows, as text; the first thousand.
        public var ids: [String]
    }

    /// The tables that another program had made; empty: the schema is this program's.
    public var tables: [String] = []
    public var refusals: [Refusal] = []
    /// In order.
    public var migrations: [AppliedMigration] = []

    /// Whether some rows stand in the way.
    ///
    /// - Parameter mends: whether those are mended that can be.
    public func isRefused(mends: Bool) -> Bool { refusals.contains { !mends || $0.mend == nil } }
}

/// Rows that the first migration's checks and keys refuse, and how they are mended.
struct RefusedRows {
    var table: String
    var problem: String
    var mend: String?
    /// A condition on the table's rows `t`.
    var condition: String
    /// Changes them, where that can be done.
    var mending: String?

    private init(
        _ table: String, _ problem: String, _ condition: String, mend: String? = nil, _ mending: String? = nil
    ) {
        self.table = table
        self.problem = problem
        self.condition = condition
        self.mend = mend
        self.mending = mending
    }

    /// Whose only fault is a value: it is replaced.
    private static func value(
        _ table: String, _ column: String, _ problem: String, _ condition: String, becomes value: String, _ mend: String
    ) -> RefusedRows {
        RefusedRows(
            table, "\(column) \(problem)", condition, mend: mend,
            "update \(table) as t set \(column) = \(value) where \(condition)")
    }

    private static func negative(_ table: String, _ column: String) -> RefusedRows {
        value(table, column, "is less than 0", "t.\(column) < 0", becomes: "0", "becomes 0")
    }

    private static func missing(_ table: String, _ column: String) -> RefusedRows {
        RefusedRows(table, "\(column) is missing", "t.\(column) is null")
    }

    private static func orphan(_ table: String, _ column: String, of parent: String) -> RefusedRows {
        RefusedRows(
            table, "\(column) names no row of \(parent)",
            "t.\(column) is not null and not exists (select from \(parent) p where p.id = t.\(column))")
    }

    /// - Parameter column: which another row, that `comesFirst`, has as well.
    private static func duplicate(
        _ table: String, _ column: String, comesFirst: String = "o.ctid < t.ctid", mend: String? = nil,
        _ change: String? = nil
    ) -> RefusedRows {
        let condition = "exists (select from \(table) o where o.\(column) = t.\(column) and (\(comesFirst)))"
        return RefusedRows(
            table, "\(column) is that of another row", condition, mend: mend,
            change.map { "update \(table) as t set \($0) where \(condition)" })
    }

    private static let statuses = "'pending', 'queued', 'running', 'completed', 'failed', 'cancelled'"
    private static let levels = "'debug', 'info', 'warning', 'error'"

    /// In the order in which they are mended.
    static let all: [RefusedRows] = [
        missing("users", "email"), duplicate("users", "email"), duplicate("users", "google_id"),
        negative("users", "compute_units_remaining"),
        missing("subscription_plans", "name"), missing("subscription_plans", "monthly_compute_units"),
        missing("subscription_plans", "max_concurrent_tasks"), missing("subscription_plans", "price_cents"),
        negative("subscription_plans", "monthly_compute_units"),
        negative("subscription_plans", "max_concurrent_tasks"), negative("subscription_plans", "price_cents"),
        duplicate("subscription_plans", "lemon_squeezy_variant_id"),
        missing("tasks", "user_id"), orphan("tasks", "user_id", of: "users"), missing("tasks", "name"),
        missing("tasks", "config"),
        value(
            "tasks", "status", "is not known", "t.status not in (\(statuses))",
            becomes: "case when lower(t.status) in (\(statuses)) then lower(t.status) else 'failed' end",
            "is written in small letters if it is known then, else becomes failed"),
        negative("tasks", "compute_units_consumed"), negative("tasks", "estimated_compute_units"),
        value(
            "tasks", "progress", "is not between 0 and 100", "t.progress not between 0 and 100",
            becomes: "least(greatest(t.progress, 0), 100)", "becomes 0 or 100"),
        missing("task_logs", "task_id"), orphan("task_logs", "task_id", of: "tasks"),
        missing("task_logs", "message"),
        value(
            "task_logs", "level", "is not known", "t.level is null or t.level not in (\(levels))",
            becomes: """
                case when lower(t.level) in (\(levels)) then lower(t.level) when lower(t.level) = 'warn' then 'warning'
                    when lower(t.level) in ('critical', 'fatal') then 'error' else 'info' end
                """, "becomes the nearest of debug, info, warning and error"),
        missing("user_subscriptions", "user_id"), orphan("user_subscriptions", "user_id", of: "users"),
        missing("user_subscriptions", "plan_id"),
        orphan("user_subscriptions", "plan_id", of: "subscription_plans"),
        // Of those with one id the row that was changed last says how the subscription is.
        duplicate(
            "user_subscriptions", "lemon_squeezy_subscription_id",
            comesFirst: "(o.updated_at, o.created_at, o.id) > (t.updated_at, t.created_at, t.id)",
            mend: "the row that was changed last keeps it; the others lose it, and become expired",
            "lemon_squeezy_subscription_id = null, status = 'expired'"),
        missing("api_keys", "user_id"), orphan("api_keys", "user_id", of: "users"), missing("api_keys", "name"),
        missing("api_keys", "key_hash"), missing("api_keys", "key_prefix"),
        missing("usage_analytics", "user_id"), orphan("usage_analytics", "user_id", of: "users"),
        negative("usage_analytics", "tasks_executed"), negative("usage_analytics", "compute_units_used"),
        negative("usage_analytics", "api_calls"), days,
    ]

    /// Several rows of one account and day.
    private static let days: RefusedRows = {
        let other =
            "exists (select from usage_analytics o where (o.user_id, o.date) = (t.user_id, t.date) and o.id < t.id)"
        return RefusedRows(
            "usage_analytics", "user_id and date are those of another row", other, mend: "is added to the other row",
            """
            update usage_analytics as k set tasks_executed = s.tasks, compute_units_used = s.units, api_calls = s.calls
            from (
                select min(id::text)::uuid as first, sum(tasks_executed) as tasks, sum(compute_units_used) as units,
                    sum(api_calls) as calls
                from usage_analytics group by user_id, date having count(*) > 1
            ) as s
            where k.id = s.first;
            delete from usage_analytics as t where \(other)
            """)
    }()
}
