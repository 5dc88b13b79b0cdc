import Databases

/// How much is stored.
public struct DatabaseStatistics: Sendable, Hashable {
    public struct Table: Sendable, Hashable {
        public var name: String
        public var rows: Int
    }

    /// How many rows of a table have one value in a column.
    public struct Share: Sendable, Hashable {
        public var table: String
        public var column: String
        /// nil: null.
        public var value: String?
        public var rows: Int
    }

    /// In order of their names.
    public var tables: [Table]
    /// By table and column, the most frequent value first.
    public var shares: [Share]
    /// Of the whole database, in bytes.
    public var size: Int

    /// The columns that are counted value by value: they have few different values, none of them typed by people.
    private static let shared: KeyValuePairs<String, String> = [
        "compute_unit_ledger": "kind", "operator_actions": "kind", "task_logs": "level", "tasks": "status",
        "user_subscriptions": "plan_id", "user_subscriptions": "status", "users": "subscription_tier",
        "webhook_events": "kind", "webhook_events": "outcome",
    ]

    /// How many rows a table has, or have one value in a column; nil: all.
    struct Count: Sendable {
        var table: String
        var column: String?
        var value: String?
        var rows: Int
    }

    /// One statement, so that all counts are of one moment.
    static func query(tables: [String]) -> Query<Count> {
        let totals = tables.map {
            "select '\($0)' as t, cast(null as text) as c, cast(null as text) as v, count(*) as n from \($0)"
        }
        let shares = shared.map { table, column in
            "select '\(table)', '\(column)', cast(\(column) as text), count(*) from \(table) group by \(column)"
        }
        let counts = (totals + shares).joined(separator: " union all ")
        return Query("select * from (\(raw: counts)) as counted order by t, c, n desc, v") { row in
            Count(table: try row["t"], column: try row["c"], value: try row["v"], rows: try row["n"])
        }
    }

    init(counts: [Count], size: Int) {
        tables = counts.filter { $0.column == nil }.map { Table(name: $0.table, rows: $0.rows) }
        shares = counts.compactMap { count in
            count.column.map { Share(table: count.table, column: $0, value: count.value, rows: count.rows) }
        }
        self.size = size
    }
}
