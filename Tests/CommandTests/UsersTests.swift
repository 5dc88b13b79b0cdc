import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct UsersTests {
    @Test("An account is created, changed and deleted", arguments: DatabaseKind.allCases)
    func life(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url])
            let made = try await program.json(
                "users", "create", "ada@example.com", "--full-name", "Ada", "--google-id", "g-1")
            #expect(made["user"]["full_name"].text == "Ada")
            let changed = try await program.json(
                "users", "set", "ada@example.com", "--email", "lovelace@example.com", "--no-active")
            #expect(changed["user"]["email"].text == "lovelace@example.com")
            #expect(changed["user"]["google_id"].text == "g-1")
            #expect(changed["user"]["is_active"].flag == false)
            for (arguments, sentence) in [
                (["users", "set", "lovelace@example.com"], "Nothing to change was given."),
                (["users", "set", "lovelace@example.com", "--email", "x"], "“x” is not an e-mail address"),
                (["users", "delete", "lovelace@example.com"], "This deletes the account"),
                (
                    ["users", "adjust", "lovelace@example.com", "--reason", "x", "--", "-9223372036854775808"],
                    "UNITS must"
                ),
            ] {
                let refused = try await program.run(arguments)
                #expect(refused.status == 64)
                #expect(refused.errors.contains(sentence))
            }
            let deleted = try await program.run("users", "delete", "lovelace@example.com", "--yes")
            #expect(deleted.status == 0)
            #expect(deleted.text == "The account \(made["user"]["id"].text ?? "") is deleted.\n")
            #expect(try await program.json("users", "list")["users"].rows.isEmpty)
            let gone = try await program.run("users", "delete", "lovelace@example.com", "--yes")
            #expect((gone.status, gone.sentence) == (1, "there is no account “lovelace@example.com”"))
        }
    }

    @Test("Lists are read from the replica")
    func replica() async throws {
        try await DatabaseKind.postgreSQL.withDatabases { primary, replica in
            let there = try Program(["DATABASE_URL": replica.url])
            _ = try await there.json("users", "create", "replica@example.com")
            let program = try Program(["DATABASE_URL": primary.url, "DATABASE_READ_URL": replica.url])
            _ = try await program.json("users", "create", "primary@example.com")
            let listed = try await program.json("users", "list")["users"].rows
            #expect(listed.map { $0["email"].text } == ["replica@example.com"])
            #expect(try await program.json("users", "show", "primary@example.com")["user"]["id"].text != nil)
        }
    }

    @Test("A list is paged without losing or repeating a row")
    func pages() async throws {
        let program = try Program()
        _ = try await program.run("migrate")
        for number in 1...5 { _ = try await program.json("users", "create", "user\(number)@example.com") }
        var emails: [String] = []
        var arguments: String?
        repeat {
            let page =
                if let arguments {
                    try await program.json("users", "list", "--limit", "2", "--before", arguments)
                } else {
                    try await program.json("users", "list", "--limit", "2")
                }
            emails += page["users"].rows.compactMap(\.["email"].text)
            arguments = page["next"].text
        } while arguments != nil
        #expect(emails == (1...5).reversed().map { "user\($0)@example.com" })
        let text = try await program.run("users", "list", "--limit", "2").text
        #expect(text.contains("more: --before "))
    }

    @Test("Two accounts of one e-mail, but for its case, must be named by their ids")
    func ambiguous() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url])
            _ = try await program.json("users", "create", "ada@example.com")
            let again = try await program.run("users", "create", "Ada@example.com")
            #expect(again.status == 1)
            #expect(again.sentence == "an account with that e-mail exists already")
            // Another program makes it all the same.
            try await database.execute("insert into users (email) values ('Ada@example.com')")
            let shown = try await program.run("users", "show", "ada@example.com")
            #expect(shown.status == 1)
            #expect(shown.sentence.hasPrefix("2 accounts have the e-mail “ada@example.com”: name one by its id: "))
            #expect(shown.sentence.contains(", Ada@example.com ("))
        }
    }
}
