import Foundation
import Postgres

/// SQL with values bound into it, for either database.
protocol SQLInterpolation {
    mutating func append(_ sql: String)
    mutating func bind(_ id: UUID)
    mutating func bind(_ moment: Date)
}

extension SQLInterpolation {
    /// Whether a row comes behind a page's last one, newest first; nil: there is no page before. The moment is that of
    /// the row itself as long as it is there: a `Date` may not hold all of it.
    mutating func appendInterpolation(
        behind cursor: Cursor?, in table: String, alias: String? = nil, by column: String = "created_at"
    ) {
        guard let cursor else { return append("true") }
        let alias = alias ?? table
        append("(\(alias).\(column), \(alias).id) < (coalesce((select \(column) from \(table) where id = ")
        bind(cursor.id)
        append("), ")
        bind(cursor.at)
        append("), ")
        bind(cursor.id)
        append(")")
    }

    /// Whether a row is an account's; nil: whoever's it is.
    mutating func appendInterpolation(ownedBy user: UUID?) {
        guard let user else { return append("true") }
        append("user_id = ")
        bind(user)
    }
}

extension PostgresQuery.StringInterpolation: SQLInterpolation {
    mutating func append(_ sql: String) { appendInterpolation(unescaped: sql) }
    mutating func bind(_ id: UUID) { appendInterpolation(id) }
    mutating func bind(_ moment: Date) { appendInterpolation(moment) }
}

extension SQLiteQuery.StringInterpolation: SQLInterpolation {
    mutating func append(_ sql: String) { appendInterpolation(unescaped: sql) }
    mutating func bind(_ id: UUID) { appendInterpolation(id) }
    mutating func bind(_ moment: Date) { appendInterpolation(moment) }
}
