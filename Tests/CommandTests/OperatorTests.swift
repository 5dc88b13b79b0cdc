import Foundation
import Payloads
import TestSupport
import Testing

/// What operators do about accounts, and what the commands tell them.
@Suite(.timeLimit(.minutes(15)))
struct OperatorTests {
    private static let ada = "c9f2fcb9-44bc-4075-b4b1-25dcb4c6e200"
    private static let scenarios = Fixtures.repository.appendingPathComponent("fixtures/scenarios").path

    /// A purchase that was made a moment ago, on a database of its own.
    private func withPurchase(
        _ kind: DatabaseKind = .sqlite, _ body: (Program, TestDatabase) async throws -> Void
    ) async throws {
        try await kind.withDatabase { database in
            let program = try Program([
                "DATABASE_URL": database.url, "LEMON_SQUEEZY_STARTER_VARIANT_ID": "101",
            ])
            try await program.serve { url in
                _ = try await program.json(
                    "replay", "--url", url, "--create-users", "--rebase", "\(Self.scenarios)/first-purchase")
            }
            try await body(program, database)
        }
    }

    @Test(
        "A plan is granted until it is ended; two that are paid are told, and which counts",
        arguments: DatabaseKind.allCases)
    func grant(_ kind: DatabaseKind) async throws {
        try await withPurchase(kind) { program, _ in
            let ada = "ada@example.com"
            let granted = try await program.json("users", "grant", ada, "professional", "--reason", "beta tester")
            #expect(granted["user"]["subscription_tier"].text == "professional")
            #expect(granted["user"]["compute_units_remaining"].number == 5000)
            #expect(granted["granted"].rows.map { $0["source"].text } == ["granted"])
            let shown = try await program.run("users", "show", ada)
            #expect(shown.text.contains("910001 is paid, too: its 1000 units wait, since another subscription counts."))
            let story = try await program.run("explain", ada)
            #expect(story.text.contains("Two are paid (R14): a granted plan counts; 1000 units of 910001 wait."))
            #expect(story.text.contains("professional granted by an operator: beta tester"))
            #expect(try await program.run("rebuild", "--check").status == 0)

            let ended = try await program.json("users", "grant", ada, "--end")
            #expect(ended["user"]["subscription_tier"].text == "starter")
            #expect(ended["granted"].rows.map { $0["status"].text } == ["expired"])
            let again = try await program.run("users", "grant", ada, "--end")
            #expect((again.status, again.sentence) == (1, "no granted plan of that account runs"))
            for (arguments, status, sentence) in [
                (["users", "grant", ada, "gold", "--reason", "x"], 1, "there is no plan “gold”"),
                (["users", "grant", ada, "starter"], 64, "--reason must say why."),
                (["users", "grant", ada], 64, "Name the PLAN to give, or say --end."),
                (["users", "grant", ada, "starter", "--end"], 64, "--end takes neither PLAN nor --until."),
                (
                    ["users", "grant", ada, "starter", "--until", "2001-01-01T00:00:00Z", "--reason", "x"], 1,
                    "the plan would end at 2001-01-01T00:00:00Z, which has passed"
                ),
            ] {
                let refused = try await program.run(arguments)
                #expect(refused.status == status)
                #expect(refused.errors.contains(sentence), "\(refused.errors)")
            }
        }
    }

    @Test("An account whose subscription runs is not deleted unasked, and is erased also afterwards")
    func delete() async throws {
        try await withPurchase { program, _ in
            let refused = try await program.run("users", "delete", "ada@example.com", "--yes")
            #expect(refused.status == 1)
            #expect(
                refused.sentence
                    == "the account's subscription 910001 (starter, active) still runs: cancel it at Lemon Squeezy first, "
                    + "or say --although-subscribed")
            let deleted = try await program.run(
                "users", "delete", "ada@example.com", "--yes", "--although-subscribed")
            #expect(deleted.status == 0)
            let unknown = try await program.run("users", "delete", "ada@example.com", "--yes", "--erase")
            #expect(
                unknown.sentence
                    == "there is no account “ada@example.com”; one that was deleted before is named by its id")
            let id = try #require(
                try await program.json("events", "list")["events"].rows.compactMap(\.["claimed_user_id"].text).first)
            let erased = try await program.run("users", "delete", id, "--yes", "--erase")
            #expect(erased.text.contains("4 events were erased: what is personal is gone from them."))

            let event = try #require(try await program.json("events", "list")["events"].rows.first?["id"].text)
            let shown = try await program.run("events", "show", event)
            #expect(
                shown.text.contains(
                    "What was personal in it is erased: the hash, ids, facts and times are all there is."))
            let raw = try await program.run("events", "show", event, "--raw")
            #expect(raw.status == 1 && raw.errors.contains("the event's bytes were erased at"))
            let audit = try await program.run("events", "audit")
            #expect(audit.status == 0)
            #expect(audit.text.contains("0 valid, 0 signed with a secret that is not set, 4 erased, 0 changed"))
        }
    }

    @Test("An audit verifies every stored event, and names one whose bytes have changed")
    func audit() async throws {
        try await withPurchase { program, database in
            let sound = try await program.run("events", "audit")
            #expect(sound.status == 0)
            #expect(sound.text.contains("4 valid, 0 signed with a secret that is not set, 0 erased, 0 changed"))
            // What did not come by webhook has no signature: neither it nor what becomes of it counts.
            let digest = String(repeating: "00", count: 32)
            try await database.execute(
                """
                insert into webhook_events (source, body, body_sha256, kind, outcome)
                values ('api', x'7b7d', x'\(digest)', 'other', 'ignored')
                """)
            #expect(try await program.run("events", "audit").text == sound.text)
            try await database.execute(
                "update webhook_events set body = x'7b7d' where event_name = 'subscription_created'")
            let tampered = try await program.run("events", "audit")
            #expect(tampered.status == 1)
            #expect(tampered.text.contains("are not those that were signed."))
        }
    }

    @Test("Settings that decide are those of the instance that started last: a command with others says so")
    func storedSettings() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let service = try Program(["DATABASE_URL": database.url, "SELEXTRACT_REFUND_UNITS": "take"])
            try await service.serve { _ in }
            let shell = try Program(["DATABASE_URL": database.url])
            let made = try await shell.run("users", "create", "ada@example.com")
            #expect(made.status == 0)
            #expect(made.errors.contains("SELEXTRACT_REFUND_UNITS is keep here and take there."))
            #expect(try await !service.run("users", "create", "bob@example.com").errors.contains("SELEXTRACT"))
            let refunds = try await database.values("select refund_units from billing_settings order by revision")
            #expect(refunds == ["take"])
            // The later start holds; the same settings again are no change.
            try await shell.serve { _ in }
            try await shell.serve { _ in }
            #expect(
                try await database.values("select refund_units from billing_settings order by revision")
                    == ["take", "keep"])
            #expect(try await service.run("users", "show", "ada@example.com").status == 0)
        }
    }

    @Test("Rows that another program made are named as giving nothing")
    func unadopted() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url])
            _ = try await program.json("users", "create", "ada@example.com")
            try await database.execute(
                "insert into user_subscriptions (user_id, plan_id) select id, 'professional' from users")
            let shown = try await program.run("users", "show", "ada@example.com")
            #expect(shown.text.contains("(professional) was made by another program: it gives nothing."))
        }
    }
}
