import Foundation
import LemonSqueezy
import LemonSqueezyStandIn
import Payloads
import TestSupport
import Testing

/// `reconcile`, and what `serve` asks for by itself, against a stand-in for Lemon Squeezy.
@Suite(.timeLimit(.minutes(15)))
struct ReconcileTests {
    private static let user = UUID()

    /// A purchase 40 days ago, and its renewal ten days ago.
    private struct Purchase {
        var subscription: ProviderSubscription
        var first: [[UInt8]]
        var renewal: [[UInt8]]

        init() {
            let now = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down))
            let created = now.addingTimeInterval(-40 * 86_400)
            let renewed = created.addingTimeInterval(31 * 86_400)
            subscription = ProviderSubscription(userID: ReconcileTests.user, createdAt: created, renewsAt: renewed)
            first = [
                subscription.event("subscription_created"),
                subscription.invoice(id: 1, reason: "initial", createdAt: created), subscription.order(),
            ]
            subscription.renewsAt = renewed.addingTimeInterval(30 * 86_400)
            renewal = [
                subscription.invoice(id: 2, createdAt: renewed),
                subscription.event("subscription_updated", at: renewed.addingTimeInterval(5)),
            ]
        }
    }

    /// An account that bought before the deliveries began to be lost: all are stored but the renewal's.
    private func withLoss(
        _ kind: DatabaseKind, _ shop: Shop, _ body: (Program, Purchase, TestDatabase) async throws -> Void
    ) async throws {
        try await kind.withDatabase { database in
            let purchase = Purchase()
            // Without a key, so that what is missed is not fetched at the start.
            let quiet = try Program(
                shop.settings.merging(["DATABASE_URL": database.url, "LEMON_SQUEEZY_API_KEY": nil]) { $1 })
            try await quiet.serve { url in
                _ = try await quiet.json("users", "create", "ada@example.com", "--id", Self.user.uuidString)
                let port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
                for body in purchase.first {
                    let reply = try await HTTPClient(port: port).send(
                        "POST", "/webhooks/lemon-squeezy",
                        headers: [("X-Signature", Signature.sign(body, secret: Program.secret))], body: body)
                    #expect(reply.status == 200)
                }
            }
            shop.hold(purchase.first + purchase.renewal)
            let program = try Program(shop.settings.merging(["DATABASE_URL": database.url]) { $1 })
            try await body(program, purchase, database)
        }
    }

    private func units(_ program: Program) async throws -> [String] {
        let shown = try await program.json("users", "show", "ada@example.com")
        return [
            shown["user"]["subscription_tier"].text ?? "-", "\(shown["user"]["compute_units_remaining"].number ?? -1)",
            "\(shown["user"]["compute_units_reset_date"].text?.prefix(10) ?? "-")",
        ]
    }

    private func report(_ finished: Program.Finished) throws -> JSON {
        #expect(finished.errors == "")
        return JSON(try JSONSerialization.jsonObject(with: Data(finished.output)))
    }

    @Test("What was lost is shown, then fetched, once; nothing but GET is sent", arguments: DatabaseKind.allCases)
    func lost(_ kind: DatabaseKind) async throws {
        let shop = try await Shop.open()
        try await withLoss(kind, shop) { program, _, database in
            // A second subscription, of a customer whom nothing ties to an account.
            var stranger = ProviderSubscription(
                userID: nil, createdAt: .utc("2026-01-01 00:00:00"), renewsAt: .utc("2027-01-01 00:00:00"))
            (stranger.id, stranger.customerID, stranger.orderID) = ("920002", "525002", "626002")
            stranger.email = "eve@example.com"
            shop.hold([stranger.event("subscription_created")])
            let before = try await units(program)
            let count = "select '' || count(*) from webhook_events"
            #expect(try await database.values(count) == ["3"])

            let tried = try await program.run("reconcile", "--dry-run", "--format", "json")
            #expect(tried.status == 1)
            let wouldBe = try report(tried)
            #expect(wouldBe["differences"].rows.count == 1)
            #expect(wouldBe["differences"][0]["email"].text == "ada@example.com")
            #expect(wouldBe["news"].number == 3 && wouldBe["stored"].number == 0)
            #expect(try await database.values(count) == ["3"])
            #expect(try await units(program) == before)

            let run = try await program.run("reconcile", "--format", "json")
            #expect(run.status == 0)
            let did = try report(run)
            #expect(did["stored"].number == 3)
            #expect(did["waiting"].rows.map { $0["id"].text } == ["920002"])
            #expect(did["waiting"][0]["reason"].text == "unknown_account")
            let after = try await units(program)
            #expect(after[1] == "\(wouldBe["differences"][0]["units_after"].number ?? -1)")
            #expect(after[0] == "starter" && after[1] == "1000" && after[2] > before[2], "\(before) \(after)")

            let again = try report(try await program.run("reconcile", "--format", "json"))
            #expect(again["stored"].number == 0)
            #expect(try await program.run("reconcile", "--dry-run").status == 0)
            #expect(try await database.values(count) == ["6"])
            #expect(try await program.run("rebuild", "--check").status == 0)
            #expect(try await program.run("events", "audit").status == 0)
            let story = try await program.run("explain", "910001")
            #expect(story.text.contains("subscription_observed 910001"), "\(story.text)")
            #expect(Set(shop.standIn.state.calls.map(\.method)) == ["GET"])

            let sources = "select distinct source from webhook_events order by source"
            #expect(try await database.values(sources) == ["api", "webhook"])
        }
    }

    @Test("Interrupted, it goes on where nothing is lost; --since leaves out what is older, but no refund")
    func interrupted() async throws {
        let shop = try await Shop.open()
        try await withLoss(.sqlite, shop) { program, purchase, database in
            // The second call of the run, after the key's mode and the first list.
            shop.standIn.change { $0.answersAfter = (2, StandInAnswer(status: 401)) }
            let cut = try await program.run("reconcile")
            #expect(cut.status == 1 && cut.sentence.contains("LEMON_SQUEEZY_API_KEY (401)"))
            #expect(!cut.errors.contains(Shop.key))
            #expect(
                try await database.values("select '' || count(*) from webhook_events where source = 'api'") == ["1"])
            #expect(try await program.run("rebuild", "--check").status == 0)
            let rest = try report(try await program.run("reconcile", "--format", "json"))
            #expect(rest["stored"].number == 1)

            let since = purchase.subscription.createdAt.addingTimeInterval(86_400).formatted(.iso8601)
            shop.hold([
                purchase.subscription.invoice(
                    id: 1, reason: "initial", status: "refunded", createdAt: purchase.subscription.createdAt,
                    refundedAt: purchase.subscription.updatedAt)
            ])
            let late = try report(try await program.run("reconcile", "--since", since, "--format", "json"))
            #expect(late["stored"].number == 1)
        }
    }

    @Test("A key of the other mode is refused before anything is read")
    func otherMode() async throws {
        let shop = try await Shop.open()
        try await withLoss(.sqlite, shop) { program, _, database in
            shop.standIn.change { $0.keys["live"] = false }
            let live = try Program(
                shop.settings.merging(["DATABASE_URL": database.url, "LEMON_SQUEEZY_API_KEY": "live"]) { $1 })
            let refused = try await live.run("reconcile")
            #expect(refused.status == 1 && refused.sentence.contains("is for live mode"))
            #expect(shop.standIn.state.calls.count == 1)
        }
    }

    @Test("After a start serve fetches what was missed by itself")
    func atStart() async throws {
        let shop = try await Shop.open()
        try await withLoss(.sqlite, shop) { program, _, _ in
            // The units are those of the month before, which nobody has used.
            let before = try await units(program)
            try await program.serve { _ in
                try await eventually { try await units(program)[2] > before[2] }
            }
            #expect(try await units(program)[1] == "1000")
            #expect(Set(shop.standIn.state.calls.map(\.method)) == ["GET"])
        }
    }

    @Test("A renewal whose webhook never came is asked for by serve, and given its units")
    func overdue() async throws {
        let shop = try await Shop.open()
        try await withLoss(.sqlite, shop) { program, _, database in
            // The lists tell nothing: only who asks for the subscription itself is told.
            shop.standIn.change { $0.emptyLists = ["subscriptions", "subscription-invoices"] }
            let resetDate = try await units(program)[2]
            let before = try await program.run("explain", "ada@example.com")
            #expect(before.text.contains("Renewal overdue (R17)"), "\(before.text)")
            try await program.serve { _ in
                let observed = "select '' || count(*) from webhook_events where event_name = 'subscription_observed'"
                try await eventually { try await database.values(observed) == ["1"] }
            }
            let now = try await units(program)
            #expect(now[1] == "1000" && now[2] > resetDate)
            let after = try await program.run("explain", "ada@example.com")
            #expect(!after.text.contains("Renewal overdue (R17)"))
            #expect(after.text.contains("subscription_observed 910001"))
            #expect(shop.standIn.state.calls.contains { $0.path == "subscriptions/910001" })
        }
    }
}
