import SchemaValidation
import Testing

/// What the readers make of answers; the real ones come from the databases in `StorageTests`.
@Suite struct ReaderTests {
    /// A PostgreSQL server with a table of plans.
    private static func answer(_ sql: String, _ entries: [[String?]]) -> [[String?]] {
        if sql.contains("set_config") { return [["postgres", "ISO", "UTC", "off"]] }
        if sql.contains("server_version_num") { return [["17"]] }
        return sql.contains("from subscription_plans") ? [["free"]] : entries
    }

    @Test func `entries are brought into one spelling, and plans are read where there are any`() async throws {
        let check = ["check", "subscription_plans", "(\"price_cents\" >=  0)", ""]
        let column = ["column", "subscription_plans", "id", "TEXT  not null"]
        let reader = PostgresSchemaReader { Self.answer($0, [check, column]) }
        let found = try await reader.snapshot()
        #expect(found.version == 17)
        #expect(
            found.entries == [
                SchemaSnapshot.Entry(
                    kind: .column, table: "subscription_plans", name: "id", definition: "text not null"),
                SchemaSnapshot.Entry(
                    kind: .check, table: "subscription_plans", name: "(price_cents >= 0)", definition: ""),
                SchemaSnapshot.Entry(kind: .plan, table: "subscription_plans", name: "free", definition: ""),
            ])
        let empty = try await PostgresSchemaReader { Self.answer($0, []) }.snapshot()
        #expect(empty == SchemaSnapshot(version: 17, entries: []))
    }

    @Test(arguments: [["view", nil, "v", nil], ["view", nil, "v"], []] as [[String?]])
    func `a row that lacks a text cannot be read`(row: [String?]) async {
        await #expect(throws: SchemaReadingError.self) {
            try await PostgresSchemaReader { Self.answer($0, [row]) }.snapshot()
        }
        #expect(throws: SchemaReadingError.self) { try SQLiteSchemaReader { _ in [row] }.snapshot() }
    }

    @Test(arguments: [SchemaSnapshot.postgreSQL, .sqlite])
    func `a snapshot is the same again from its text`(snapshot: SchemaSnapshot) {
        #expect(SchemaSnapshot(text: snapshot.text) == snapshot)
        #expect(snapshot.tables.contains("users"))
        #expect(snapshot.views == ["account_entitlements"])
        #expect(snapshot.functions.contains("record_plan_terms()") == (snapshot.version > 0))
    }
}
