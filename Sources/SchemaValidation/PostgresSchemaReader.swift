/// Reads what a PostgreSQL database consists of.
public struct PostgresSchemaReader: Sendable {
    private let query: @Sendable (String) async throws -> [[String?]]

    /// - Parameter query: runs one statement, and returns its rows, whose columns are all texts. All statements are to
    ///   run in one transaction, which they change settings of.
    public init(query: @escaping @Sendable (String) async throws -> [[String?]]) {
        self.query = query
    }

    /// What is visible on the search path, apart from the system's own.
    ///
    /// - Throws: what `query` throws; `SchemaReadingError` if a row is not what was asked for.
    public func snapshot() async throws -> SchemaSnapshot {
        // Expressions are spelled as these settings say, which a server or a user may have changed.
        _ = try await query(
            """
            select set_config('intervalstyle', 'postgres', true), set_config('datestyle', 'ISO', true),
                set_config('timezone', 'UTC', true), set_config('quote_all_identifiers', 'off', true)
            """)
        let version = try await query("select (current_setting('server_version_num')::int / 10000)::text")
        var entries = try await query(Self.entriesSQL).compactMap(Self.entry)
        if entries.havePlans {
            // As text, of whatever type the column has become.
            let plans = try await query("select id::text from subscription_plans where id is not null")
            entries += try plans.map { try SchemaSnapshot.Entry(plan: $0.text(0)) }
        }
        return SchemaSnapshot(version: try Int((version.first ?? []).text(0)) ?? 0, entries: entries)
    }

    private static func entry(_ row: [String?]) throws -> SchemaSnapshot.Entry? {
        let (name, text) = (try row.text(2), SQLText(try row.text(3)))
        guard let kind = SchemaSnapshot.Entry.Kind(rawValue: try row.text(0)) else { return nil }
        let isExpression = kind == .check || kind == .exclusion
        // A function's text is kept as it was written.
        let definition = kind == .function ? text : text.castingWholeArrays
        return SchemaSnapshot.Entry(
            kind: kind, table: row.optionalText(1),
            name: isExpression ? SQLText(name).castingWholeArrays.description : name,
            definition: definition.description)
    }
}
