import GRDB

extension SQLiteStore {
    public func statistics() async throws -> DatabaseStatistics {
        try await read { connection in
            let sql = DatabaseStatistics.sql(tables: Self.tables)
            let counts = try connection.query("\(unescaped: sql)").map { row in
                let (table, column, value, rows) = try row.decode(
                    String.self, String?.self, String?.self, Int.self)
                return (table: table, column: column, value: value, rows: rows)
            }
            return DatabaseStatistics(counts: counts, size: try Self.size(connection))
        }
    }

    private static func size(_ connection: SQLiteConnection) throws -> Int {
        try connection.query(
            "select page_count * page_size from pragma_page_count(), pragma_page_size()"
        ).values(Int.self)[0]
    }

    public func vacuum() async throws -> (before: Int, after: Int) {
        try await maintain { connection in
            let before = try Self.size(connection)
            try connection.run("vacuum; analyze; pragma wal_checkpoint(truncate)")
            return (before, try Self.size(connection))
        }
    }

    public func reset() async throws {
        try await alterSchema { try Self.drop($0) }
        _ = try await migrate()
    }

    private static func drop(_ connection: SQLiteConnection) throws {
        let tables = Set(Self.tables)
        let inbox = try connection.query("select 1 from sqlite_schema where name = 'webhook_events'")
        if try !inbox.isEmpty && !connection.query("select 1 from webhook_events where test_mode = 0 limit 1").isEmpty {
            throw StoreError.liveEventStored
        }
        let dependents = try connection.query(
            """
            select t.name, f."table" from sqlite_schema t join pragma_foreign_key_list(t.name) f where t.type = 'table'
            """
        ).map { try $0.decode(String.self, String.self) }
        guard dependents.allSatisfy({ !tables.contains($0.1) || tables.contains($0.0) }) else {
            throw StoreError.conflict("something of another program depends on these tables: drop that first")
        }
        for view in Self.views { try connection.run("drop view if exists \(view)") }
        for table in tables.sorted() { try connection.run("drop table if exists \(table)") }
    }

    public func health() async throws -> DatabaseHealth {
        let start = ContinuousClock.now
        try await check()
        return DatabaseHealth(latency: .now - start, pool: nil)
    }

    public var pool: DatabaseHealth.Pool? { nil }
}
