import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct KeysTests {
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
