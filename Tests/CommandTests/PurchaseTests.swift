import Foundation
import TestSupport
import Testing

/// From a signed payload to an account's plan, through the program alone.
@Suite(.timeLimit(.minutes(15)))
struct PurchaseTests {
    private static let fixtures = Repository.root.appendingPathComponent("fixtures").path
    private static let ada = "c9f2fcb9-44bc-4075-b4b1-25dcb4c6e200"

    @Test("A first purchase that is replayed puts the account on the plan", arguments: DatabaseKind.allCases)
    func firstPurchase(_ kind: DatabaseKind) async throws {
        try await kind.withDatabaseURL(migrated: false) { database in
            try await purchase(Program(["DATABASE_URL": database]))
        }
    }

    private func purchase(_ program: Program) async throws {
        try await program.serve { url in
            _ = try await program.json("plans", "map", "starter", "101")
            let report = try await program.json(
                "replay", "--url", url, "--create-users", "--rebase", "\(Self.fixtures)/scenarios/first-purchase")
            #expect(report["sent"].number == 4)
            #expect(report["outcomes"].rows.allSatisfy { $0["status"].number == 200 })

            let account = try await program.json("users", "show", "ADA@example.com")
            #expect(account["user"]["id"].text == Self.ada)
            #expect(account["user"]["subscription_tier"].text == "starter")
            #expect(account["user"]["compute_units_remaining"].number == 1000)
            #expect(account["entitlement"]["plan_id"].text == "starter")
            #expect(account["entitlement"]["has_access"].flag == true)
            #expect(account["subscriptions"].rows.map { $0["lemon_squeezy_subscription_id"].text } == ["910001"])
            #expect(account["buckets"].rows.filter { $0["line"].text == "910001" }.count == 1)
            #expect(account["ledger"].rows.compactMap { $0["units"].number }.reduce(0, +) == 1000)
        }
    }

    @Test("Old events are replayed byte for byte, and a repetition is counted and changes nothing")
    func verbatim() async throws {
        let program = try Program(["LEMON_SQUEEZY_STARTER_VARIANT_ID": "101"])
        try await program.serve { url in
            let scenario = "\(Self.fixtures)/scenarios/first-purchase"
            let first = try await program.json("replay", "--url", url, "--create-users", scenario)
            #expect(first["outcomes"].rows.allSatisfy { $0["outcome"].text != "duplicate" })
            let before = try await program.json("users", "show", Self.ada)
            let again = try await program.json(
                "replay", "--url", url, "--repeat", "25", "--shuffle", "--concurrency", "8", scenario)
            #expect(again["outcomes"].rows.map { $0["outcome"].text } == ["duplicate"])
            #expect(again["outcomes"][0]["count"].number == 100)
            let after = try await program.json("users", "show", Self.ada)
            #expect(before["user"]["subscription_tier"].text == "starter")
            #expect(before["ledger"].rows.count == after["ledger"].rows.count)

            let events = try await program.json("events", "list", "--name", "subscription_created")
            #expect(events["events"].rows.map { $0["deliveries"].number } == [26])
            let id = try #require(events["events"][0]["id"].text)
            let raw = try await program.run("events", "show", id, "--raw")
            #expect(
                Data(raw.output) == FileManager.default.contents(atPath: "\(scenario)/02-subscription_created.json"))
        }
    }

    @Test("What is unsigned as the listener wants it is reported, and makes the exit code 1")
    func wrongSecret() async throws {
        let program = try Program()
        let file = program.folder.appendingPathComponent("secret")
        try Data("another-secret\n".utf8).write(to: file)
        try await program.serve { url in
            let payload = "\(Self.fixtures)/events/subscription_created.json"
            let refused = try await program.run("replay", "--url", url, "--secret-file", file.path, payload)
            #expect(refused.status == 1)
            #expect(refused.text.contains("401"))
            #expect(refused.errors.isEmpty)
            try Data("\(Program.secret)\n".utf8).write(to: file)
            let taken = try await program.run("replay", "--url", url, "--secret-file", file.path, payload)
            #expect(taken.status == 0)
        }
    }

    @Test("A listener that does not answer is reported, and makes the exit code 1")
    func nobodyListens() async throws {
        let program = try Program()
        let url = try await program.serve { $0 }
        let report = try await program.run(
            "replay", "--url", url, "\(Self.fixtures)/events", "--concurrency", "4")
        #expect(report.status == 1)
        #expect(report.text.contains("no answer"))
    }

    @Test("Events of an unknown variant wait until it is mapped, those of an unknown account until it is created")
    func released() async throws {
        let program = try Program()
        try await program.serve { url in
            _ = try await program.json("replay", "--url", url, "\(Self.fixtures)/scenarios/first-purchase")
            let waiting = try await program.json("events", "list", "--outcome", "parked")
            #expect(waiting["events"].rows.count == 3)
            #expect(Set(waiting["events"].rows.map { $0["reason"].text }) == ["unknown_account"])

            _ = try await program.json("users", "create", "ada@example.com", "--id", Self.ada)
            let unmapped = try await program.json("events", "list", "--outcome", "parked", "--reason", "unknown_plan")
            #expect(unmapped["events"].rows.count == 3)

            let plan = try await program.json("plans", "map", "starter", "101")
            #expect(plan["plan"]["variants"].rows.map(\.text) == ["101"])
            #expect(try await program.json("events", "list", "--outcome", "parked")["events"].rows.isEmpty)
            let account = try await program.json("users", "show", Self.ada)
            #expect(account["user"]["subscription_tier"].text == "starter")
        }
    }

    @Test("A subscription that is bound moves, with its plan, from one account to the other")
    func bind() async throws {
        let program = try Program(["LEMON_SQUEEZY_STARTER_VARIANT_ID": "101"])
        try await program.serve { url in
            _ = try await program.json(
                "replay", "--url", url, "--create-users", "\(Self.fixtures)/scenarios/first-purchase")
            _ = try await program.json("users", "create", "grace@example.com")
            let bound = try await program.json(
                "subscriptions", "bind", "910001", "grace@example.com", "--reason", "hers")
            #expect(bound["user"]["email"].text == "grace@example.com")
            #expect(bound["user"]["subscription_tier"].text == "starter")
            let ada = try await program.json("users", "show", Self.ada)
            #expect(ada["user"]["subscription_tier"].text == "free")
            #expect(ada["user"]["compute_units_remaining"].number == 100)
            #expect(ada["subscriptions"].rows.isEmpty)
            let shown = try await program.json("subscriptions", "show", "910001")
            #expect(shown["user"]["email"].text == "grace@example.com")
            #expect(shown["events"].rows.count == 4)
            #expect(try await program.json("subscriptions", "list", "--user", Self.ada)["subscriptions"].rows.isEmpty)
            #expect(try await program.json("subscriptions", "list")["subscriptions"].rows.count == 1)

            let unknown = try await program.run("subscriptions", "bind", "1", "grace@example.com")
            #expect(unknown.status == 1)
            #expect(unknown.sentence == "there is no event of a subscription “1”")
        }
    }

    @Test("Events that are retried are decided again; those that count already stay as they are")
    func retry() async throws {
        let program = try Program(["LEMON_SQUEEZY_STARTER_VARIANT_ID": "101"])
        try await program.serve { url in
            _ = try await program.json("replay", "--url", url, "\(Self.fixtures)/scenarios/first-purchase")
            let ids = try await program.json("events", "list")["events"].rows.compactMap(\.["id"].text)
            let before = try await program.run("events", "retry", ids[0], ids[1], ids[2], ids[3])
            #expect(before.status == 1)
            #expect(before.text.contains("Nothing changed: they wait for the same as before."))
            _ = try await program.json("users", "create", "ada@example.com", "--id", Self.ada)
            let after = try await program.json("events", "list")
            #expect(after["events"].rows.map { $0["id"].text } == ids)
            #expect(after["events"].rows.filter { $0["outcome"].text == "applied" }.count == 3)
            #expect(try await program.run("events", "retry", ids[0], ids[1]).status == 1)
            let none = try await program.run("events", "retry", Self.ada)
            #expect(none.status == 1)
            #expect(none.sentence == "there is no event “\(Self.ada)”")
        }
    }
}
