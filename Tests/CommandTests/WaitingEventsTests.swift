import Foundation
import Payloads
import TestSupport
import Testing

/// What operators do about events that wait, and what lists say of rows that cannot be read.
@Suite(.timeLimit(.minutes(15)))
struct WaitingEventsTests {
    private static let scenario = Fixtures.repository.appendingPathComponent("fixtures/scenarios/first-purchase").path

    /// A purchase for an account that there is not.
    private func withWaiting(_ body: (Program, TestDatabase) async throws -> Void) async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url, "LEMON_SQUEEZY_STARTER_VARIANT_ID": "101"])
            try await program.serve { url in
                _ = try await program.json("replay", "--url", url, "--rebase", Self.scenario)
            }
            try await body(program, database)
        }
    }

    @Test("Events are discarded with a reason, shown as such, and retried")
    func discard() async throws {
        try await withWaiting { program, database in
            let parked = try await program.json("events", "list", "--outcome", "parked")
            let ids = parked["events"].rows.compactMap(\.["id"].text)
            #expect(ids.count == 3)
            let unsaid = try await program.run(["events", "discard"] + ids)
            #expect(unsaid.status == 64 && unsaid.errors.contains("--reason"))
            let empty = try await program.run(["events", "discard"] + ids + ["--reason", ""])
            #expect(empty.status == 64 && empty.errors.contains("--reason must say why."))

            let discarded = try await program.run(["events", "discard"] + ids + ["--reason", "a test of the shop's"])
            #expect(discarded.status == 0, "\(discarded.errors)")
            let list = try await program.json("events", "list", "--reason", "discarded")
            #expect(list["events"].rows.map { $0["outcome"].text } == ["ignored", "ignored", "ignored"])
            let acts = try await database.values(
                "select kind || ' ' || reason || ' ' || (length(acted_by) > 0 and length(acted_from) > 0) from operator_actions"
            )
            #expect(acts == Array(repeating: "discard a test of the shop's 1", count: 3))
            let again = try await program.run("events", "discard", ids[0], "--reason", "x")
            #expect(again.status == 1 && again.sentence.hasPrefix("event “\(ids[0])” is discarded already"))

            let user = "c9f2fcb9-44bc-4075-b4b1-25dcb4c6e200"
            let made = try await program.json("users", "create", "ada@example.com", "--id", user)
            #expect(made["user"]["subscription_tier"].text == "free")
            #expect(try await program.run("tick").status == 0)
            #expect(try await program.run("rebuild", "--check").status == 0)
            let story = try await program.run("explain", "910001")
            #expect(story.text.contains("discarded by an operator: a test of the shop's"), "\(story.text)")
            #expect(story.text.contains("R3  it counts for nothing until it is retried"))

            #expect(try await program.run(["events", "retry"] + ids).status == 0)
            let account = try await program.json("users", "show", user)
            #expect(account["user"]["subscription_tier"].text == "starter")
        }
    }

    @Test("A row that cannot be read is named, the others are shown, on every page, and the command fails")
    func unreadable() async throws {
        try await withWaiting { program, database in
            for name in ["ada", "bob", "cy"] { _ = try await program.json("users", "create", "\(name)@example.com") }
            let id = try #require(
                try await database.values("select id from users where email = 'bob@example.com'").first)
            try await database.execute("update users set compute_units_reset_date = 'soon' where id = '\(id)'")
            let named =
                "Not shown: a row of users (id \(id)) cannot be read: its column compute_units_reset_date holds no usable value"
            let list = try await program.run("users", "list")
            #expect(list.status == 1 && list.errors == "")
            #expect(list.text.contains("ada@example.com") && list.text.contains("cy@example.com"))
            #expect(list.text.contains(named), "\(list.text)")

            // Each page goes on behind the one before, whatever it ended with.
            var (shown, pages, cursor): ([String], Int, String?) = ([], 0, nil)
            repeat {
                let page = try await program.run(
                    ["users", "list", "--limit", "1"] + (cursor.map { ["--before", $0] } ?? []))
                pages += 1
                shown += ["ada", "bob", "cy"].filter { page.text.contains("\($0)@example.com") }
                #expect(page.status == (page.text.contains(named) ? 1 : 0))
                cursor = page.text.split(separator: "\n").first { $0.hasPrefix("more: --before ") }.map {
                    String($0.dropFirst("more: --before ".count))
                }
            } while cursor != nil && pages < 9
            #expect(pages == 3 && shown == ["cy", "ada"])

            let own = try await program.run("users", "show", "bob@example.com")
            #expect(
                own.status == 1 && own.sentence.contains("its column compute_units_reset_date holds no usable value"))
            #expect(try await program.run("users", "show", "ada@example.com").status == 0)
            try await database.execute("update users set billing_due_at = '2001-01-01' where id = '\(id)'")
            let tick = try await program.run("tick")
            #expect(tick.status == 1 && tick.text.contains(id) && tick.text.contains("compute_units_reset_date"))
            let rebuild = try await program.run("rebuild")
            #expect(rebuild.status == 1 && rebuild.text.contains("could not be computed"))
            #expect(rebuild.text.contains("4 events and 3 accounts computed"))
        }
    }
}
