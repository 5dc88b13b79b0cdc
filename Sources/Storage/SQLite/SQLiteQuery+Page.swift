import Foundation

extension SQLiteQuery.StringInterpolation {
    /// Whether a row comes behind a page's last one, newest first; nil: there is no page before. The moment is that of
    /// the row itself as long as it is there: a `Date` may not hold all of it.
    mutating func appendInterpolation(
        behind cursor: Cursor?, in table: String, alias: String? = nil, by column: String = "created_at"
    ) {
        guard let cursor else { return appendInterpolation(unescaped: "true") }
        let alias = alias ?? table
        appendInterpolation(
            unescaped: "(\(alias).\(column), \(alias).id) < (coalesce((select \(column) from \(table) where id = ")
        appendInterpolation(cursor.id)
        appendInterpolation(unescaped: "), ")
        appendInterpolation(cursor.at)
        appendInterpolation(unescaped: "), ")
        appendInterpolation(cursor.id)
        appendInterpolation(unescaped: ")")
    }

    /// Whether a row is an account's; nil: whoever's it is.
    mutating func appendInterpolation(ownedBy user: UUID?) {
        guard let user else { return appendInterpolation(unescaped: "true") }
        appendInterpolation(unescaped: "user_id = ")
        appendInterpolation(user)
    }
}
