public import Foundation

/// Where a page of a list that is ordered by time goes on: the last row of the page before.
public struct Cursor: Sendable, Hashable {
    public var at: Date
    public var id: UUID

    public init(at: Date, id: UUID) {
        self.at = at
        self.id = id
    }
}

extension SQL {
    /// Whether a row comes behind a page's last one, newest first; nil: there is no page before. The moment is that of
    /// the row itself as long as it is there: a `Date` may not hold all of it.
    package static func behind(
        _ cursor: Cursor?, in table: String, alias: String? = nil, by column: String = "created_at"
    ) -> SQL {
        guard let cursor else { return "true" }
        let alias = alias ?? table
        return """
            (\(raw: alias).\(raw: column), \(raw: alias).id) < (
                coalesce((select \(raw: column) from \(raw: table) where id = \(cursor.id)), \(cursor.at)), \(cursor.id)
            )
            """
    }
}
