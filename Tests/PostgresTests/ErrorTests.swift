import Foundation
import Testing

@testable import Postgres

@Suite("Errors") struct ErrorTests {
    @Test("A violated constraint is named, and the values are not")
    func constraints() async throws {
        let connection = try await TestServer.connect()
        try await connection.executeScript(
            """
            create temp table parents (id text constraint parents_key primary key);
            create temp table children (parent text not null constraint children_parent references parents (id));
            insert into parents values ('secret')
            """)
        let unique = await #expect(throws: PostgresError.self) {
            try await connection.execute("insert into parents values (\("secret"))")
        }
        #expect(unique?.isUniqueViolation == true)
        #expect(unique?.constraint == "parents_key")
        #expect(unique?.table == "parents")
        let foreign = await #expect(throws: PostgresError.self) {
            try await connection.execute("insert into children values (\("secret too"))")
        }
        #expect(foreign?.isForeignKeyViolation == true)
        let null = await #expect(throws: PostgresError.self) {
            try await connection.execute("insert into children values (\(nil as String?))")
        }
        #expect(null?.sqlState == "23502")
        #expect(null?.column == "parent")
        for error in [unique, foreign, null] {
            #expect(error?.isConnectionLost == false)
            #expect(error.debugDescription.contains("secret") == false)
        }
        #expect(try await connection.query("select 1").count == 1)
    }

    @Test(
        "Messages that quote a value come without it",
        arguments: [
            "integer", "uuid", "timestamptz", "boolean", "jsonb", "inet", "text[]::integer[]", "double precision",
            "pg_temp.mood",
        ])
    func quotedValues(type: String) async throws {
        let connection = try await TestServer.connect()
        try await connection.executeScript("create type pg_temp.mood as enum ('fine')")
        let error = await #expect(throws: PostgresError.self) {
            try await connection.query("select \(#"{"sec"ret"}"#)::text::\(unescaped: type)")
        }
        #expect(error?.sqlState?.hasPrefix("22") == true)
        #expect(String(describing: error).contains("ret") == false)
    }

    @Test("Text that PostgreSQL cannot hold is refused without showing it")
    func zeroCharacter() async throws {
        let connection = try await TestServer.connect()
        let error = await #expect(throws: PostgresError.self) { try await connection.query("select \("a\u{0}b")") }
        #expect(error?.sqlState == "22021")
        #expect(error?.message.contains("0x") == false)
    }

    @Test(
        "Nothing of the URL is in an error, be it malformed or refused",
        arguments: [
            "postgresql://user:hunter2%zz@host/db", "postgresql://user:hunter2@host:1:2/db?x",
            "postgresql://user:hunter2@host/db?nonsense=1", "password=hunter2 host", "hunter2", "",
            "postgresql://user:hunter2@%2Fno%2Fsuch%2Ffolder/db", "host=/no/such/folder password=hunter2",
            "postgresql://user:hunter2@127.0.0.1:1/db?connect_timeout=2", "host=127.0.0.1 port=hunter2",
            "postgresql://user:hunter2/unescaped@host/db",
        ])
    func passwords(url: String) async throws {
        let error = await #expect(throws: PostgresError.self) { try await PostgresConnection.connect(url: url) }
        #expect(String(describing: error).contains("hunter2") == false)
        #expect(error?.sqlState == nil)
        #expect(error?.message.isEmpty == false)
    }

    @Test("A connection that the server ends is reported as lost, and stays closed")
    func lostConnection() async throws {
        let connection = try await TestServer.connect()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.query("select pg_terminate_backend(pg_backend_pid())")
        }
        #expect(error?.isConnectionLost == true)
        #expect(error?.isRetryable == false)
        #expect(connection.isReusable == false)
        let next = await #expect(throws: PostgresError.self) { try await connection.query("select 1") }
        #expect(next?.isConnectionLost == true)
    }

    @Test("A closed connection says so")
    func closedConnection() async throws {
        let connection = try await TestServer.connect()
        await connection.close()
        await connection.close()
        let error = await #expect(throws: PostgresError.self) { try await connection.query("select 1") }
        #expect(error?.isConnectionLost == true)
    }

    @Test("COPY is refused")
    func copy() async throws {
        let connection = try await TestServer.connect()
        await #expect(throws: PostgresError.self) { try await connection.executeScript("copy (select 1) to stdout") }
    }
}
