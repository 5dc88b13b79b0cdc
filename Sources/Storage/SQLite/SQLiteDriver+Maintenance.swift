import Databases

extension SQLiteDriver {
    func statistics() async throws -> DatabaseStatistics {
        try await read { connection in
            let counts = try connection.fetch(DatabaseStatistics.query(tables: Self.tables))
            return DatabaseStatistics(counts: counts, size: try Self.size(connection))
        }
    }

    private static func size(_ connection: SQLiteConnection) throws -> Int {
        try connection.fetch(
            Query<Int>("select page_count * page_size from pragma_page_count(), pragma_page_size()"))[0]
    }

    func vacuum() async throws -> (before: Int, after: Int) {
        try await maintain { connection in
            let before = try Self.size(connection)
            try connection.run(script: "vacuum; analyze; pragma wal_checkpoint(truncate)")
            return (before, try Self.size(connection))
        }
    }

    /// A transaction that is rolled back never reaches the disk. A number that is written as it was does, and is 4 KiB.
    func tryDisk() async throws {
        try await maintain { connection in
            let version = try connection.fetch(Query<Int>("pragma user_version"))[0]
            try connection.run(script: "pragma user_version = \(version)")
        }
    }

    func drop() async throws {
        try await alterSchema { try Self.drop($0) }
    }

    private static func drop(_ connection: SQLiteConnection) throws {
        let tables = Set(Self.tables)
        let inbox = try connection.run("select 1 from sqlite_schema where name = 'webhook_events'")
        let live: SQL = "select 1 from webhook_events where test_mode = 0 limit 1"
        if try !inbox.isEmpty && !connection.run(live).isEmpty {
            throw StoreError.liveEventStored
        }
        let dependents = try connection.fetch(
            Query<(String, String)>(
                """
                select t.name, f."table" from sqlite_schema t join pragma_foreign_key_list(t.name) f
                where t.type = 'table'
                """
            ) { (try $0.next(), try $0.next()) })
        guard dependents.allSatisfy({ !tables.contains($0.1) || tables.contains($0.0) }) else {
            throw StoreError.foreignDependents
        }
        for view in Self.views { try connection.run(script: "drop view if exists \(view)") }
        for table in tables.sorted() { try connection.run(script: "drop table if exists \(table)") }
    }
}
