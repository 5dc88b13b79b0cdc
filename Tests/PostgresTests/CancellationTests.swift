import Testing

@testable import Postgres

@Suite("Cancellation", .timeLimit(.minutes(15))) struct CancellationTests {
    private func isRunning(_ marker: String, _ observer: PostgresConnection) async throws -> Bool {
        let rows = try await observer.query(
            """
            select 1 from pg_stat_activity
            where state = 'active' and query like \("%\(marker)%") and pid <> pg_backend_pid()
            """)
        return !rows.isEmpty
    }

    @Test("Cancelling a task ends its query on the server and leaves the connection good")
    func query() async throws {
        let marker = TestServer.uniqueName()
        let (connection, observer) = (try await TestServer.connect(), try await TestServer.connect())
        let task = Task { try await connection.query("select pg_sleep(600) as \(unescaped: marker)") }
        try await eventually { try await isRunning(marker, observer) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await isRunning(marker, observer) == false)
        #expect(try await connection.query("select 1").values(Int.self) == [1])
        #expect(connection.isReusable)
    }

    @Test("Cancelling a task in a transaction rolls back and keeps the connection in the pool")
    func transaction() async throws {
        try await TestServer.withSchema(size: 1) { pool, schema in
            try await pool.execute("create table \(unescaped: schema).t (a int)")
            let observer = try await TestServer.connect()
            let task = Task {
                try await pool.withTransaction { connection in
                    try await connection.execute("insert into \(unescaped: schema).t values (1)")
                    try await connection.execute("select pg_sleep(600) as \(unescaped: schema)")
                }
            }
            try await eventually { try await isRunning("as \(schema)", observer) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(pool.statistics == PostgresPool.Statistics(size: 1, idle: 1, leased: 0, waiting: 0))
            #expect(try await pool.query("select 1 from \(unescaped: schema).t").isEmpty)
        }
    }

    @Test("A query of a cancelled task is not sent")
    func beforehand() async throws {
        let connection = try await TestServer.connect()
        try await connection.executeScript("create temp table t (a int)")
        let gate = Gate()
        let task = Task {
            await gate.pass()
            try await connection.execute("insert into t values (1)")
        }
        task.cancel()
        gate.open()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await connection.query("select a from t").isEmpty)
    }

    @Test("A statement stopped by someone else is the server's error, not a cancellation")
    func timeLimit() async throws {
        let connection = try await TestServer.connect()
        try await connection.executeScript("set statement_timeout = 20")
        let error = await #expect(throws: PostgresError.self) { try await connection.query("select pg_sleep(600)") }
        #expect(error?.sqlState == "57014")
    }

    @Test("No request to cancel is late and hits the connection's next query", arguments: [false, true])
    func late(throughPooler: Bool) async throws {
        let url = throughPooler ? try TestServer.poolerURL : try TestServer.url
        let connection = try await PostgresConnection.connect(url: url)
        var cancelled = 0
        for round in 0..<300 {
            let task = Task {
                for _ in 0..<20 { _ = try await connection.query("select count(*) from generate_series(1, 1000)") }
            }
            // Cancelled at another moment each time, most often while a query is being sent or answered.
            for _ in 0..<round { await Task.yield() }
            task.cancel()
            do { try await task.value } catch is CancellationError { cancelled += 1 }
            #expect(try await connection.query("select \(round)").values(Int.self) == [round])
        }
        #expect(cancelled > 0)
    }
}
