import Databases
import Foundation
import Selextract
import Storage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct KeysTests {
    @Test("What is counted while it serves goes to the usage database", arguments: DatabaseKind.allCases)
    func usageDatabase(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let files = try Program()
            let usage = "sqlite:\(files.folder.appendingPathComponent("usage.sqlite3").path)"
            let program = try Program(["DATABASE_URL": database.url, "USAGE_DATABASE_URL": usage])
            let id = try await program.json("users", "create", "ada@example.com")["user"]["id"].text
            let user = try #require(id.flatMap(UUID.init(uuidString:)))
            let key = try await program.json("keys", "create", "ada@example.com", "--name", "laptop")["text"].text
            try await ServedProcess.serve(program) { served in
                for _ in 0..<3 {
                    let reply = try await HTTPClient(port: served.port).send(
                        "GET", "/v1/account", headers: [("authorization", "Bearer \(key ?? "")")])
                    #expect(reply.status == 200)
                }
                let store = try database.open { $0.usageURL = usage }
                let (first, last) = (UsageDay(containing: .distantPast), UsageDay(containing: .distantFuture))
                try await eventually {
                    let isMoved = try await database.values("select 'waits' from usage_analytics").isEmpty
                    // Its table is made when the service has begun.
                    let days = try? await store.primary.usage(of: user, from: first, through: last)
                    return isMoved && days?.map(\.apiCalls) == [3]
                }
                await store.close()
            }
            #expect(try await program.run("tick").status == 0)
        }
    }

    @Test("A key is shown once, listed without its secret, and revoked", arguments: DatabaseKind.allCases)
    func life(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url])
            _ = try await program.json("users", "create", "ada@example.com")
            let made = try await program.json("keys", "create", "ada@example.com", "--name", "laptop")
            let text = try #require(made["text"].text)
            #expect(text.hasPrefix("slx_"))
            let id = try #require(made["key"]["id"].text)

            let listed = try await program.run("keys", "list", "ada@example.com", "--format", "json").text
            #expect(!listed.contains(text))
            #expect(listed.contains(id))
            let stored = try await database.values("select key_hash from api_keys")
            #expect(stored.allSatisfy { $0.count == 64 && !$0.contains(text) })

            // One that another program made, by a form and a hash of its own.
            try await database.execute(
                """
                insert into api_keys (user_id, name, key_hash, key_prefix)
                select id, 'other', '$2b$12$abcdefghijklmnopqrstuv', 'sk_live_12' from users
                """)
            let both = try await program.json("keys", "list")
            let opens = Dictionary(uniqueKeysWithValues: both["keys"].rows.map { ($0["name"].text, $0["opens"].flag) })
            #expect(opens == ["laptop": true, "other": false])
            #expect(try await program.run("keys", "list").text.contains("made by another program"))
            try await database.execute("delete from api_keys where name = 'other'")

            let revoked = try await program.json("keys", "revoke", id)
            #expect(revoked["key"]["is_active"].flag == false)
            let unknown = try await program.run("keys", "revoke", UUID().uuidString)
            #expect(unknown.status == 1)
            #expect(try await program.run("keys", "create", "ada@example.com").status == 64)
        }
    }
}
