import Testing

@testable import Postgres

/// PgBouncer in transaction mode runs each transaction on any of its server connections.
@Suite("PgBouncer", .timeLimit(.minutes(15))) struct PgBouncerTests {
    /// A database of its own has server connections of its own.
    private func withDatabase(_ body: (_ url: String) async throws -> Void) async throws {
        let name = TestServer.uniqueName()
        let server = try await TestServer.connect()
        try await server.execute("create database \(unescaped: name)")
        let url = try TestServer.poolerURL.replacing(/postgres$/, with: name)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(url))
        } catch {
            outcome = .failure(error)
        }
        try await server.execute("drop database \(unescaped: name) with (force)")
        try outcome.get()
    }

    @Test("Two processes that prepare the same statement on one server connection both get their rows")
    func sharedServerConnection() async throws {
        try await withDatabase { url in
            let first = try await PostgresConnection.connect(url: url)
            let second = try await PostgresConnection.connect(url: url)
            for number in 0..<3 {
                for connection in [first, second] {
                    #expect(try await connection.query("select \(number) + 1").values(Int.self) == [number + 1])
                    let inside = try await connection.withTransaction {
                        try await $0.query("select \(number) + 2").values(Int.self)
                    }
                    #expect(inside == [number + 2])
                }
            }
            #expect(!second.policy.allowsNames)
            await first.close()
            await second.close()
        }
    }

    @Test("Many clients share few server connections, with prepared statements and transactions")
    func manyClients() async throws {
        try await withDatabase { url in
            var configuration = PostgresPool.Configuration(url: url)
            configuration.size = 30
            let pools = [PostgresPool(configuration), PostgresPool(configuration)]
            try await pools[0].execute("create table accounts (id bigint primary key, units integer not null)")
            try await pools[0].execute("insert into accounts select n, 0 from generate_series(1, 10) n")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<100 {
                    let pool = pools[client % 2]
                    group.addTask {
                        for round in 0..<10 {
                            let id = (client + round) % 10 + 1
                            try await pool.withTransaction { connection in
                                let units = try await connection.query(
                                    "select units from accounts where id = \(id) for update"
                                ).values(Int.self)[0]
                                try await connection.execute(
                                    "update accounts set units = \(units + 1) where id = \(id)")
                            }
                            _ = try await pool.query("select units from accounts where id = any(\([id]))")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await pools[0].query("select sum(units) from accounts").values(Int.self) == [1000])
            for pool in pools { #expect(await pool.shutdown()) }
        }
    }

    @Test("Cancelling a task ends its query, and no other client's")
    func cancellation() async throws {
        try await withDatabase { url in
            let connection = try await PostgresConnection.connect(url: url)
            let other = try await PostgresConnection.connect(url: url)
            for round in 0..<20 {
                let marker = TestServer.uniqueName()
                let task = Task { try await connection.query("select pg_sleep(600) as \(unescaped: marker)") }
                try await eventually {
                    let running = try await other.query(
                        """
                        select 1 from pg_stat_activity
                        where state = 'active' and query like \("%\(marker)%") and pid <> pg_backend_pid()
                        """)
                    return !running.isEmpty
                }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(try await other.query("select \(round)").values(Int.self) == [round])
                #expect(try await connection.query("select \(round)").values(Int.self) == [round])
            }
            await connection.close()
            await other.close()
        }
    }
}
