import Foundation
import Synchronization
import Testing

@testable import Postgres

@Suite("Queries") struct QueryTests {
    @Test("Interpolated values become parameters, and only text that is marked becomes SQL")
    func interpolation() {
        let name = "x'; drop table users; --"
        let query: PostgresQuery =
            "select \(unescaped: "a, b") from t where n = \(name) and m = \(nil as Int?) or \(true)"
        #expect(query.sql == "select a, b from t where n = $1 and m = $2 or $3")
        #expect(query.bindings.types == [PostgresType.text, .int8, .bool].map(\.rawValue))
        #expect("\(query)" == query.sql)
    }

    @Test("An attempt at injection is stored as the text it is")
    func injection() async throws {
        let connection = try await TestServer.connect()
        try await connection.executeScript("create temp table names (name text)")
        let attempts = ["'; drop table names; --", "$1", "\\'; delete from names; --", "1) or (1=1", "\u{2019}; --"]
        for attempt in attempts {
            try await connection.execute("insert into names values (\(attempt))")
            let found = try await connection.query("select name from names where name = \(attempt)")
            #expect(try found.values(String.self) == [attempt])
        }
        #expect(try await connection.query("select name from names").count == attempts.count)
    }

    @Test("Columns are read by position and by name")
    func columns() async throws {
        let connection = try await TestServer.connect()
        let row = try #require(try await connection.query("select 1 as id, 'x' as \"Name\", null::text as gone").first)
        #expect(try row["id", as: Int.self] == 1)
        #expect(try row["Name"] == "x")
        #expect(try row["gone", as: String?.self] == nil)
        #expect(throws: PostgresDecodingError.self) { try row["name", as: String.self] }
        let error = #expect(throws: PostgresDecodingError.self) { try row.decode(Int.self, String.self) }
        #expect(error?.reason == .columnCount)
    }

    @Test("An error of decoding names the column and the types, not the value")
    func decodingErrors() async throws {
        let connection = try await TestServer.connect()
        let row = try #require(try await connection.query("select 'secret' as word, null::int as gap").first)
        let mismatch = #expect(throws: PostgresDecodingError.self) { try row["word", as: Int.self] }
        #expect(mismatch?.description == "column word is text and cannot be read as Int")
        let null = #expect(throws: PostgresDecodingError.self) { try row["gap", as: Int.self] }
        #expect(null?.description == "column gap is NULL and cannot be read as Int")
        #expect(throws: PostgresDecodingError.self) { try row["word", as: UUID.self] }
    }

    @Test("Statements tell how many rows they concerned")
    func affectedRows() async throws {
        let connection = try await TestServer.connect()
        #expect(try await connection.execute("create temp table t (a int)") == 0)
        #expect(try await connection.execute("insert into t select generate_series(1, 7)") == 7)
        #expect(try await connection.execute("update t set a = 0 where a > \(4)") == 3)
        #expect(try await connection.execute("delete from t where a = \(99)") == 0)
        #expect(try await connection.query("select * from t").count == 7)
        #expect(try await connection.query("delete from t returning a").affected == 7)
        #expect(try await connection.query("select from t").isEmpty)
    }

    @Test("Rows of texts can be read without saying how many columns there are")
    func texts() async throws {
        let connection = try await TestServer.connect()
        let rows = try await connection.query(
            "select 'a', null::text, 'ü'::name union all select '', 'b', 'c' order by 1 desc")
        #expect(try rows.texts() == [["a", nil, "ü"], ["", "b", "c"]])
        #expect(try await connection.query("select 'a' where false").texts() == [])
        let numbers = try await connection.query("select 'a', 1")
        #expect(throws: PostgresDecodingError.self) { try numbers.texts() }
    }

    @Test("A script runs all its statements or none")
    func scripts() async throws {
        let connection = try await TestServer.connect()
        try await connection.executeScript(
            "create temp table t (a int); insert into t values (1); insert into t values (2)")
        await #expect(throws: PostgresError.self) {
            try await connection.executeScript("insert into t values (3); select 1 / 0")
        }
        #expect(try await connection.query("select a from t").count == 2)
        try await connection.executeScript("")
        try await connection.executeScript("do $$ begin raise notice 'not to be printed'; end $$")
    }

    @Test("The observer sees each statement without values, and its error")
    func observer() async throws {
        let seen = Mutex<[(String, PostgresError?)]>([])
        let connection = try await PostgresConnection.connect(url: TestServer.url) { sql, duration, error in
            #expect(duration > .zero)
            seen.withLock { $0.append((sql, error)) }
        }
        _ = try await connection.query("select \("secret")")
        _ = try? await connection.query("select 1 / \(0)")
        let statements = seen.withLock { $0 }
        #expect(statements.map(\.0) == ["select $1", "select 1 / $1"])
        #expect(statements.map(\.1?.sqlState) == [nil, "22012"])
    }

    @Test("The URL has the last word over our defaults, but not over the encoding")
    func defaults() async throws {
        let plain = try await TestServer.connect()
        #expect(try await plain.query("select current_setting('application_name')").values() == ["selextract-billing"])
        let url = try TestServer.url + "?application_name=mine&client_encoding=LATIN1"
        let connection = try await PostgresConnection.connect(url: url, defaults: ["application_name": "ours"])
        let row = try await connection.query(
            "select current_setting('application_name'), current_setting('client_encoding'), 'ü€'"
        ).first
        let (name, encoding, text) = try #require(try row?.decode(String.self, String.self, String.self))
        #expect((name, encoding, text) == ("mine", "UTF8", "ü€"))
    }
}
