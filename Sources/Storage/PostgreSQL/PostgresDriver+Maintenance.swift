import Postgres

extension PostgresDriver {
    func statistics() async throws -> DatabaseStatistics {
        try await mapped {
            try await connections.withConnection { connection in
                let query = DatabaseStatistics.query(tables: Self.tables)
                let counts = try await PostgresSession(connection: connection).run([query.sql]).read(query)
                return DatabaseStatistics(counts: counts, size: try await Self.size(connection))
            }
        }
    }

    private static func size(_ connection: PostgresConnection) async throws -> Int {
        try await connection.query("select pg_database_size(current_database())").values(Int.self)[0]
    }

    func vacuum() async throws -> (before: Int, after: Int) {
        try await mapped {
            try await connections.withConnection { connection in
                let before = try await Self.size(connection)
                try await connection.executeScript(
                    "vacuum (analyze) \(Self.tables.joined(separator: ", "))")
                return (before, try await Self.size(connection))
            }
        }
    }

    func drop() async throws {
        try await mapped {
            try await connections.withTransaction { connection in
                _ = try await connection.query("select pg_advisory_xact_lock(\(PostgresDialect.migrationLock))")
                let inbox = try await connection.query("select to_regclass('webhook_events') is not null")
                if try inbox.values(Bool.self) == [true] {
                    try await connection.executeScript("lock table webhook_events in access exclusive mode")
                    let live = try await connection.query("select from webhook_events where test_mode = false limit 1")
                    guard live.isEmpty else { throw StoreError.liveEventStored }
                }
                do {
                    try await connection.executeScript(Self.dropScript)
                } catch let error as PostgresError where error.sqlState == "2BP01" {
                    throw StoreError.conflict("something of another program depends on these tables: drop that first")
                }
            }
        }
    }

    /// One statement for all tables, so that their order does not matter. Extensions stay: others may use them.
    private static var dropScript: String {
        let views = Self.views.map { "drop view if exists \($0);" }
        let functions = Self.functions.map { "drop function if exists \($0);" }
        let tables = "drop table if exists \(Self.tables.joined(separator: ", "));"
        return (views + [tables] + functions).joined(separator: "\n")
    }

    var pool: DatabaseHealth.Pool? {
        let state = connections.statistics
        return DatabaseHealth.Pool(size: state.size, idle: state.idle, leased: state.leased, waiting: state.waiting)
    }
}

extension StoreError {
    static let liveEventStored = StoreError.conflict("an event of live mode is stored: this database is in real use")
}
