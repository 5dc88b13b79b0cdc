import Foundation
import Testing

@Suite(.timeLimit(.minutes(15)))
struct CatalogueTests {
    @Test("Plans are listed cheapest first, changed, and shown with all their variants")
    func plans() async throws {
        let program = try Program()
        #expect(try await program.run("migrate").text.contains("init"))
        let plans = try await program.json("plans", "list")["plans"].rows
        #expect(plans.map { $0["id"].text } == ["free", "starter", "professional", "enterprise"])
        #expect(plans.map { $0["price_cents"].number } == [0, 1900, 4900, 9900])

        let changed = try await program.json(
            "plans", "set", "starter", "--price-cents", "2100", "--units", "1200", "--max-concurrent-tasks", "4",
            "--name", "Start", "--description", "Anew", "--variant-id", "101", "--no-active")["plan"]
        #expect(changed["price_cents"].number == 2100)
        #expect(changed["monthly_compute_units"].number == 1200)
        #expect(changed["max_concurrent_tasks"].number == 4)
        #expect(changed["name"].text == "Start")
        #expect(changed["description"].text == "Anew")
        #expect(changed["is_active"].flag == false)

        _ = try await program.json("plans", "map", "starter", "102")
        let again = try await program.json("plans", "set", "starter", "--variant-id", "1000", "--active")["plan"]
        #expect(again["variants"].rows.map(\.text) == ["101", "102", "1000"], "the one before keeps its meaning")
        #expect(again["is_active"].flag == true)

        let taken = try await program.run("plans", "map", "enterprise", "101")
        #expect(taken.status == 1)
        #expect(taken.sentence == "variant “101” means plan “starter” already")
        let unknown = try await program.run("plans", "set", "gold", "--units", "1")
        #expect(unknown.status == 1)
        #expect(unknown.sentence == "there is no plan “gold”")
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
        let program = try Program()
        _ = try await program.run("migrate")
        _ = try await program.json("users", "create", "ada@example.com")
        _ = try await program.json("users", "create", "Ada@example.com")
        let shown = try await program.run("users", "show", "ada@example.com")
        #expect(shown.status == 1)
        #expect(shown.sentence == "2 accounts have the e-mail “ada@example.com”: name one by its id")
        let again = try await program.run("users", "create", "ada@example.com")
        #expect(again.status == 1)
        #expect(again.sentence == "an account with that e-mail exists already")
    }

    @Test("Migrations are listed, printed without being run, and run")
    func migrate() async throws {
        let program = try Program()
        let sql = try await program.run("migrate", "--sql").text
        #expect(sql.contains("create table"))
        let before = try await program.json("migrate", "--status")["migrations"].rows
        // Looking at what is not there does not make it.
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: program.folder.path).allSatisfy {
                !$0.contains("sqlite3")
            })
        #expect(before.first?["version"].number == 1)
        #expect(before.allSatisfy { $0["applied_at"].isNull })
        let refused = try await program.run("plans", "list")
        #expect(refused.status == 1)
        #expect(refused.sentence == "the schema is not up to date: run `migrate`")

        #expect(try await program.json("migrate")["migrations"].rows.count == before.count)
        let after = try await program.json("migrate", "--status")["migrations"].rows
        #expect(after.allSatisfy { $0["applied_at"].text != nil })
        #expect(try await program.run("migrate", "--sql").output.isEmpty)
        #expect(try await program.run("migrate").text == "The schema is up to date.\n")
    }
}
