import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct TasksTests {
    @Test(
        "Tasks are listed, of all or of one account, by what their configuration contains",
        arguments: DatabaseKind.allCases)
    func list(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url])
            for name in ["ada", "bob"] {
                _ = try await program.json("users", "create", "\(name)@example.com")
                try await database.execute(
                    """
                    insert into tasks (user_id, name, config)
                    select id, '\(name)''s', '{"target_url": "https://\(name).example"}' from users
                    where email = '\(name)@example.com'
                    """)
            }
            #expect(try await program.json("tasks", "list")["tasks"].rows.count == 2)
            let own = try await program.json("tasks", "list", "ada@example.com")["tasks"].rows
            #expect(own.map(\.["name"].text) == ["ada's"])
            #expect(own.map(\.["config"].text) == [#"{"target_url":"https://ada.example"}"#])
            let condition = #"{"target_url": "https://bob.example"}"#
            let found = try await program.json("tasks", "list", "--where", condition)["tasks"].rows
            #expect(found.map(\.["name"].text) == ["bob's"])
            #expect(try await program.run("tasks", "list", "--where", condition).text.contains("bob's"))
            for wrong in ["{", "[]", "1"] {
                let refused = try await program.run("tasks", "list", "--where", wrong)
                #expect(refused.status == 64)
                #expect(refused.sentence.contains("--where must be a JSON object"))
            }
        }
    }
}
