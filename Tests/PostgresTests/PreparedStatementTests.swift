import Testing

@testable import Postgres

@Suite("Prepared statements", .timeLimit(.minutes(15))) struct PreparedStatementTests {
    private func prepared(_ connection: PostgresConnection) async throws -> Int {
        try await connection.query("select count(*) from pg_prepared_statements where statement like '%marked%'")
            .values(Int.self)[0]
    }

    @Test("A statement is prepared once, and once more for other types")
    func once() async throws {
        let connection = try await TestServer.connect()
        for number in 0..<5 { try await connection.execute("select \(number) as marked") }
        #expect(try await prepared(connection) == 2)
        try await connection.execute("select \("text") as marked")
        #expect(try await prepared(connection) == 3)
        #expect(connection.policy.allowsNames)
    }

    @Test("A connection keeps a bounded number of statements")
    func bounded() async throws {
        let connection = try await TestServer.connect()
        for number in 0..<600 { try await connection.execute("select \(unescaped: "\(number)") as marked") }
        #expect(try await prepared(connection) <= 256)
    }

    @Test("A statement that the server has forgotten is repeated unnamed, and so are all from then on")
    func forgotten() async throws {
        let connection = try await TestServer.connect()
        try await connection.execute("select \(1) as marked")
        try await connection.executeScript("deallocate all")
        #expect(try await connection.query("select \(2) as marked").values(Int.self) == [2])
        #expect(!connection.policy.allowsNames)
        #expect(try await prepared(connection) == 0)
    }

    @Test("A statement whose name is taken is repeated unnamed")
    func taken() async throws {
        let connection = try await TestServer.connect()
        let query: PostgresQuery = "select \(2) as marked"
        let name = PreparedStatements().newName(for: query)
        try await connection.executeScript("prepare \(name) as select 'something else'")
        #expect(try await connection.query(query).values(Int.self) == [2])
        #expect(!connection.policy.allowsNames)
    }

    @Test("In a transaction the whole transaction is repeated")
    func forgottenInTransaction() async throws {
        let connection = try await TestServer.connect()
        try await connection.execute("select \(1) as marked")
        var attempts = 0
        let values = try await connection.withTransaction { connection in
            attempts += 1
            if attempts == 1 { try await connection.executeScript("deallocate all") }
            return try await connection.query("select \(2) as marked").values(Int.self)
        }
        #expect(values == [2])
        #expect(attempts == 2)
    }

    @Test("A plan outdated by a change of the schema is made anew", arguments: [false, true])
    func outdatedPlan(inTransaction: Bool) async throws {
        let connection = try await TestServer.connect()
        try await connection.executeScript("create temp table t as select 1 as a")
        #expect(try await connection.query("select * from t").count == 1)
        try await connection.executeScript("alter table t add b text")
        let rows =
            if inTransaction {
                try await connection.withTransaction { try await $0.query("select * from t") }
            } else {
                try await connection.query("select * from t")
            }
        #expect(try rows.first?["b", as: String?.self] == .some(nil))
        #expect(connection.policy.allowsNames)
    }
}
