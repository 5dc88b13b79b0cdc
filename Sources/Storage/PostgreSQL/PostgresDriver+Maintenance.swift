import Databases

extension PostgresDriver {
    func statistics() async throws -> DatabaseStatistics {
        try await maintain { session in
            let counts = try await session.fetch(DatabaseStatistics.query(tables: Self.tables))
            return DatabaseStatistics(counts: counts, size: try await Self.size(session))
        }
    }

    private static func size(_ session: PostgresSession) async throws -> Int {
        try await session.fetch(Query<Int>("select pg_database_size(current_database())"))[0]
    }

    /// What is rolled back has been written into its files, too.
    func tryDisk() async throws {}

    func vacuum() async throws -> (before: Int, after: Int) {
        try await maintain { session in
            let before = try await Self.size(session)
            try await session.run(script: "vacuum (analyze) \(Self.tables.joined(separator: ", "))")
            return (before, try await Self.size(session))
        }
    }

    func drop() async throws {
        try await alterSchema { session in
            _ = try await session.run([PostgresDialect.lockOfMigrations])
            let inbox = try await session.fetch(Query<Bool>("select to_regclass('webhook_events') is not null"))
            if inbox == [true] {
                try await session.run(script: "lock table webhook_events in access exclusive mode")
                let live = try await session.run(["select from webhook_events where test_mode = false limit 1"])
                guard live[0].isEmpty else { throw StoreError.liveEventStored }
            }
            do {
                try await session.run(script: Self.dropScript)
            } catch let violation as ConstraintViolation where violation.kind == .dependency {
                throw StoreError.foreignDependents
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
}

extension StoreError {
    static let liveEventStored = StoreError.conflict("an event of live mode is stored: this database is in real use")
    static let foreignDependents = StoreError.conflict(
        "something of another program depends on these tables: drop that first")
}
