import Foundation
import TestSupport
import Testing

/// The commands that tell and change why an account has its units.
@Suite(.timeLimit(.minutes(15)))
struct UnitsCommandTests {
    private static let scenarios = Repository.root.appendingPathComponent("fixtures/scenarios").path
    private static let ada = "c9f2fcb9-44bc-4075-b4b1-25dcb4c6e200"

    /// A program whose database has the first purchase, which nothing else touches.
    private func withPurchase(_ body: (Program, TestDatabase) async throws -> Void) async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url, "LEMON_SQUEEZY_STARTER_VARIANT_ID": "101"])
            try await program.serve { url in
                let report = try await program.json(
                    "replay", "--url", url, "--create-users", "--rebase", "\(Self.scenarios)/first-purchase")
                #expect(report["sent"].number == 4)
            }
            try await body(program, database)
        }
    }

    /// A program whose database has one account, with the 100 units of the free plan.
    private func programWithAccount() async throws -> Program {
        let program = try Program()
        try #require(try await program.run("migrate").status == 0)
        _ = try await program.json("users", "create", "ada@example.com")
        return program
    }

    @Test("explain tells each event, the rules, and the units before and after")
    func explain() async throws {
        try await withPurchase { program, _ in
            let story = try await program.run("explain", "ada@example.com").text
            #expect(story.hasPrefix("ada@example.com (\(Self.ada))\nNow: plan starter, 1000 units, until "))
            #expect(story.contains("R6  variant 101 is starter"))
            #expect(story.contains("R12 pays for the month from "))
            #expect(story.contains("switch: 100 → 1000 units (910001, month from "))
            #expect(try await program.run("explain", "910001").text.contains("subscription_updated 910001"))
            let json = try await program.json("explain", Self.ada)
            let balances = json["items"].rows.compactMap { $0["balance"].number }
            #expect(balances == [100, 1000])

            let unknown = try await program.run("explain", "1234")
            #expect(unknown.status == 1)
            #expect(unknown.sentence == "there is no subscription “1234”")
        }
    }

    @Test(
        "What another program has written is told as pending until the ledger has it", arguments: DatabaseKind.allCases)
    func pending(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url])
            _ = try await program.json("users", "create", "ada@example.com")
            #expect(try await program.run("explain", "ada@example.com").text.contains("pending") == false)
            try await database.execute("update users set compute_units_remaining = 60")
            let story = try await program.run("explain", "ada@example.com").text
            #expect(story.contains("changed by another program, not in the ledger yet"))
            #expect(story.contains("pending: 100 → 60 units"))
            #expect(
                try await program.json("explain", "ada@example.com")["items"].rows.last?["what"].text?.contains(
                    "not in") == true)
            #expect(try await program.run("users", "show", "ada@example.com").text.contains("from 100 to 60"))
            #expect(try await program.json("tick")["tick"]["accounts"].number == 1)
            let after = try await program.run("explain", "ada@example.com").text
            #expect(!after.contains("pending") && after.contains("external: 100 → 60 units"))
            #expect(try await program.run("users", "show", "ada@example.com").text.contains("from 100 to 60") == false)
        }
    }

    @Test("explain says what would release a parked event")
    func explainParked() async throws {
        let program = try Program()
        try await program.serve { url in
            _ = try await program.run("replay", "--url", url, "\(Self.scenarios)/unknown-account")
            let story = try await program.run("explain", "910201").text
            #expect(story.hasPrefix("The subscription belongs to no account yet.\n"))
            #expect(story.contains("parked (unknown_account)"))
            #expect(story.contains("R3  waits for an account with the claimed id, or `subscriptions bind`"))
        }
    }

    @Test("users adjust gives and takes units, and refuses to take more than there are")
    func adjust() async throws {
        try await withPurchase { program, _ in
            let given = try await program.json("users", "adjust", "ada@example.com", "50", "--reason", "sorry")
            #expect(given["user"]["compute_units_remaining"].number == 1050)
            let taken = try await program.run("users", "adjust", "--reason", "mistake", Self.ada, "--", "-1050")
            #expect(taken.status == 0)
            let left = try await program.json("users", "show", Self.ada)["user"]
            #expect(left["compute_units_remaining"].number == 0)
            let refused = try await program.run("users", "adjust", "--reason", "more", Self.ada, "--", "-1")
            #expect(refused.status == 1)
            #expect(refused.sentence == "1 compute units are more than the 0 that remain")
            let ledger = try await program.json("users", "show", Self.ada)["ledger"].rows
            #expect(ledger.suffix(2).map { $0["kind"].text } == ["adjust", "adjust"])
            #expect(ledger.suffix(2).map { $0["reason"].text } == ["sorry", "mistake"])
            #expect(try await program.run("users", "adjust", Self.ada, "0", "--reason", "x").status == 64)
            #expect(try await program.run("users", "adjust", Self.ada, "5").status == 64)
        }
    }

    @Test(
        "Units are taken by a number below zero, wherever it and the reason stand",
        arguments: [
            ["ada@example.com", "-30", "--reason", "x"], ["--reason", "x", "ada@example.com", "-30"],
            ["ada@example.com", "--reason", "x", "-30"], ["ada@example.com", "--reason=x", "-30"],
            ["--reason", "x", "--", "ada@example.com", "-30"], ["--reason", "x", "ada@example.com", "--", "-30"],
            ["ada@example.com", "-30", "--reason", "x", "--format", "json"],
        ])
    func take(_ arguments: [String]) async throws {
        let program = try await programWithAccount()
        #expect(try await program.run(["users", "adjust"] + arguments).status == 0)
        let shown = try await program.json("users", "show", "ada@example.com")
        #expect(shown["user"]["compute_units_remaining"].number == 70)
        #expect(shown["ledger"].rows.last?["reason"].text == "x")
    }

    @Test(
        "Units that are no number are one sentence and exit code 64",
        arguments: [
            ["ada@example.com", "-3O", "--reason", "x"], ["ada@example.com", "-30.5", "--reason", "x"],
            ["ada@example.com", "-0", "--reason", "x"], ["ada@example.com", "thirty", "--reason", "x"],
            ["ada@example.com", "-30", "-40", "--reason", "x"], ["-30", "--reason", "x"],
            ["ada@example.com", "30", "--reason", "-5"], ["ada@example.com", "-30"],
        ])
    func noUnits(_ arguments: [String]) async throws {
        let program = try await programWithAccount()
        let refused = try await program.run(["users", "adjust"] + arguments)
        #expect(refused.status == 64)
        #expect(!refused.sentence.isEmpty)
        let shown = try await program.json("users", "show", "ada@example.com")
        #expect(shown["user"]["compute_units_remaining"].number == 100)
    }

    @Test("tick looks at another moment without changing anything, unless it is told to write")
    func tick() async throws {
        try await withPurchase { program, _ in
            let later = Date(timeIntervalSinceNow: 40 * 86_400).formatted(.iso8601)
            let dry = try await program.json("tick", "--now", later, "--dry-run")
            #expect(dry["tick"]["accounts"].number == 1)
            #expect(try await program.json("tick")["tick"]["accounts"].number == 0)
            let done = try await program.json("tick", "--now", later)
            #expect(done["tick"]["accounts"].number == 1)
            #expect(try await program.run("tick", "--now", "tomorrow").status == 64)
        }
        let production = try Program(["ENVIRONMENT": "production"])
        let refused = try await production.run("tick", "--now", "2026-11-12T00:00:00Z")
        #expect(refused.status == 1)
        #expect(refused.sentence == "--now is for trying out: in production it needs --dry-run")
    }

    @Test("rebuild --check exits with 1 on a difference, rebuild puts it right")
    func rebuild() async throws {
        try await withPurchase { program, database in
            #expect(try await program.run("rebuild", "--check").status == 0)
            try await database.execute("update users set subscription_tier = 'enterprise'")
            let found = try await program.run("rebuild", "--check")
            #expect(found.status == 1)
            #expect(found.text.contains("the plan is enterprise, should be starter"))
            let rebuilt = try await program.json("rebuild")
            #expect(rebuilt["events"].number == 4)
            #expect(rebuilt["accounts"].number == 1)
            #expect(try await program.run("rebuild", "--check").status == 0)
        }
    }

    @Test("demo shows scenarios, accounts, months and plans, and leaves nothing behind")
    func demo() async throws {
        let program = try Program(["DATABASE_URL": nil, "LEMON_SQUEEZY_WEBHOOK_SECRET": nil])
        let shown = try await program.json("demo")
        let tiers = Dictionary(
            uniqueKeysWithValues: shown["accounts"].rows.map { ($0["email"].text ?? "", $0["subscription_tier"].text) })
        #expect(tiers["renewal@example.com"] == "starter")
        #expect(tiers["plan-change-upgrade@example.com"] == "professional")
        #expect(tiers["cancel-then-expired@example.com"] == "free")
        #expect(shown["deliveries"].rows.contains { $0["event"].text == "(the clock)" })
        #expect(shown["plans"].rows.count == 4)
        #expect(shown["differences"].number == 0)
        let left = try FileManager.default.contentsOfDirectory(atPath: program.folder.path)
        #expect(left.allSatisfy { $0.hasSuffix(".json") })

        // What is inside the program is what the folder has.
        let same = try await program.json("demo", "--scenarios", Self.scenarios)
        let columns = ["account", "at", "event", "answer", "tier", "units_left", "reset_date"]
        let stories = [shown, same].map { $0["deliveries"].rows.map { row in columns.map { "\(row[$0])" } } }
        #expect(stories[0] == stories[1])
        #expect(stories[0].count > 50)
    }

    @Test("demo shows only the scenarios that are named, and says which there are")
    func demoScenario() async throws {
        let program = try Program(["DATABASE_URL": nil, "LEMON_SQUEEZY_WEBHOOK_SECRET": nil])
        let one = try await program.json("demo", "--scenario", "trial", "--scenario", "renewal")
        #expect(Set(one["deliveries"].rows.map { $0["account"].text }) == ["trial", "renewal"])
        let unknown = try await program.run("demo", "--scenario", "refund")
        #expect(unknown.status == 1)
        #expect(unknown.sentence.hasPrefix("“refund” is not inside the program; --scenarios reads a folder."))
        let read = try await program.json("demo", "--scenarios", Self.scenarios, "--scenario", "refund")
        #expect(Set(read["deliveries"].rows.map { $0["account"].text }) == ["refund"])
        #expect(try await program.run("demo", "--scenarios", "/nowhere").status == 1)
    }
}
