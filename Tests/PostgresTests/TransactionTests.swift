import Testing

@testable import Postgres

@Suite("Transactions", .timeLimit(.minutes(15))) struct TransactionTests {
    private struct Refused: Error {}

    @Test("A transaction is committed when its body returns, and rolled back when it throws")
    func commitAndRollBack() async throws {
        try await TestServer.withSchema { pool, schema in
            try await pool.execute("create table \(unescaped: schema).t (a int)")
            let result = try await pool.withTransaction { connection in
                try await connection.execute("insert into \(unescaped: schema).t values (1)")
                return "done"
            }
            #expect(result == "done")
            await #expect(throws: Refused.self) {
                try await pool.withTransaction { connection in
                    try await connection.execute("insert into \(unescaped: schema).t values (2)")
                    throw Refused()
                }
            }
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withTransaction { connection in
                    try await connection.execute("insert into \(unescaped: schema).t values (3)")
                    try await connection.execute("select 1 / 0")
                }
            }
            #expect(error?.sqlState == "22012")
            #expect(try await pool.query("select a from \(unescaped: schema).t").values(Int.self) == [1])
            #expect(pool.statistics.size == 1)
        }
    }

    @Test("A body that hides the failure of a statement does not pass as committed")
    func hiddenFailure() async throws {
        let connection = try await TestServer.connect()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.withTransaction { connection in
                _ = try? await connection.query("select 1 / 0")
            }
        }
        #expect(error?.sqlState == "22012")
        #expect(connection.isReusable)
    }

    @Test("Isolation and read-only are what was asked for", arguments: [false, true])
    func modes(readOnly: Bool) async throws {
        let connection = try await TestServer.connect()
        for isolation in [PostgresIsolation.readCommitted, .repeatableRead, .serializable] {
            let modes = try await connection.withTransaction(isolation: isolation, readOnly: readOnly) {
                try await $0.query(
                    "select current_setting('transaction_isolation'), current_setting('transaction_read_only')"
                ).first?.decode(String.self, String.self)
            }
            let (level, onlyReads) = try #require(modes)
            #expect(level == isolation.rawValue)
            #expect(onlyReads == (readOnly ? "on" : "off"))
        }
    }

    @Test("A serialization failure is repeated, also when the body replaces the error", arguments: [false, true])
    func serializationFailure(replaces: Bool) async throws {
        try await TestServer.withSchema { pool, schema in
            try await pool.execute("create table \(unescaped: schema).t as select 0 as a")
            var attempts = 0
            try await pool.withTransaction(isolation: .repeatableRead) { connection in
                attempts += 1
                let a = try await connection.query("select a from \(unescaped: schema).t").values(Int.self)[0]
                if attempts == 1 { try await pool.execute("update \(unescaped: schema).t set a = 10") }
                do {
                    try await connection.execute("update \(unescaped: schema).t set a = \(a + 1)")
                } catch {
                    throw replaces ? Refused() : error
                }
            }
            #expect(attempts == 2)
            #expect(try await pool.query("select a from \(unescaped: schema).t").values(Int.self) == [11])
        }
    }

    @Test("Retries end, with the error of the last attempt")
    func boundedRetries() async throws {
        let connection = try await TestServer.connect()
        var attempts = 0
        let error = await #expect(throws: PostgresError.self) {
            try await connection.withTransaction(retries: 2) { connection in
                attempts += 1
                try await connection.executeScript("do $$ begin raise sqlstate '40001'; end $$")
            }
        }
        #expect(error?.isRetryable == true)
        #expect(attempts == 3)
    }

    @Test("Two transactions that lock each other out both succeed in the end")
    func deadlock() async throws {
        try await TestServer.withSchema { pool, schema in
            try await pool.execute(
                "create table \(unescaped: schema).t as select n, 0 as a from generate_series(1, 2) n")
            let attempts = Counter()
            let first = Gate()
            let second = Gate()
            let forwards = Task {
                try await Self.update([1, 2], in: schema, of: pool, attempts, opening: first, awaiting: second)
            }
            let backwards = Task {
                try await Self.update([2, 1], in: schema, of: pool, attempts, opening: second, awaiting: first)
            }
            try await forwards.value
            try await backwards.value
            #expect(try await pool.query("select a from \(unescaped: schema).t").values(Int.self) == [2, 2])
            #expect(attempts.count > 2)
        }
    }

    /// Updates two rows, the second only when the other transaction has updated it too.
    private static func update(
        _ rows: [Int], in schema: String, of pool: PostgresPool, _ attempts: Counter, opening mine: Gate,
        awaiting other: Gate
    ) async throws {
        try await pool.withTransaction { connection in
            attempts.increment()
            try await connection.execute("update \(unescaped: schema).t set a = a + 1 where n = \(rows[0])")
            mine.open()
            await other.pass()
            try await connection.execute("update \(unescaped: schema).t set a = a + 1 where n = \(rows[1])")
        }
    }

    @Test("A COMMIT whose outcome is unknown is reported and not repeated")
    func lostCommit() async throws {
        try await TestServer.withSchema { pool, schema in
            try await pool.withConnection { connection in
                try await connection.executeScript(
                    """
                    create table \(schema).t (a int);
                    create function \(schema).die() returns trigger language plpgsql as
                    $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
                    create constraint trigger die after insert on \(schema).t deferrable initially deferred
                    for each row execute function \(schema).die();
                    """)
            }
            var attempts = 0
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withTransaction { connection in
                    attempts += 1
                    try await connection.execute("insert into \(unescaped: schema).t values (1)")
                }
            }
            #expect(error?.isConnectionLost == true)
            #expect(attempts == 1)
            #expect(pool.statistics.size == 0)
        }
    }

    @Test("A commit that fails on a deferred constraint is an error")
    func deferredConstraint() async throws {
        let connection = try await TestServer.connect()
        try await connection.executeScript("create temp table t (a int unique deferrable initially deferred)")
        let error = await #expect(throws: PostgresError.self) {
            try await connection.withTransaction { connection in
                try await connection.execute("insert into t values (1), (1)")
            }
        }
        #expect(error?.isUniqueViolation == true)
        #expect(connection.isReusable)
    }
}
