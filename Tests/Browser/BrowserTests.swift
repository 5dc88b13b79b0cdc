import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezy
import LemonSqueezyStandIn
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// What operators come to the console for, in a real browser at the program itself.
///
/// The limit ends what hangs: beside all other tests on two busy cores, the pages alone have taken eleven minutes.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct BrowserTests {
    private let now = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down))

    /// A subscription bought three days ago.
    private func purchase(of user: UUID?, email: String = "ada@example.com") -> ProviderSubscription {
        let bought = now.addingTimeInterval(-3 * 86_400)
        var subscription = ProviderSubscription(userID: user, createdAt: bought, renewsAt: bought.adding(months: 1))
        subscription.email = email
        return subscription
    }

    @Test("Each page is right for axe and for the window, light and dark, narrow and wide")
    func pages() async throws {
        try await Stage.serve(.postgreSQL, ["LEMON_SQUEEZY_STORE_ID": "4242"]) { stage in
            let given = try await crowd(stage)
            try await stage.tell("pages", ["pages": given.pages])
        }
    }

    @Test("An unknown variant arrives, Waiting shows it, it is mapped, and the account has its units")
    func unknownVariant() async throws {
        try await Stage.serve(.sqlite) { stage in
            let user = UUID()
            try await stage.database.withStore { _ = try await $0.createUser(email: "ada@example.com", id: user) }
            var subscription = purchase(of: user)
            subscription.variantID = "777"
            try await stage.deliver([
                subscription.event("subscription_created"),
                subscription.event("subscription_updated", at: subscription.createdAt + 10),
            ])
            try await stage.tell("unknown_variant", ["variant": "777"])
            try await stage.database.withStore { store in
                #expect(try await store.user(id: user)?.computeUnitsRemaining == 1000)
                let check = try await Rebuild(store, policy: BillingPolicy()).run(check: true)
                #expect(check.differences.isEmpty)
            }
        }
    }

    @Test("A lost renewal is seen on Now, fetched, and its time line tells that it came by the API")
    func lostRenewal() async throws {
        var state = StandInState()
        state.put("stores", id: "4242", [.init("name", .string("Selextract"))])
        let shop = try await StandIn.start(state)
        let user = UUID()
        let created = now.addingTimeInterval(-40 * 86_400)
        let renewed = created.addingTimeInterval(31 * 86_400)
        var subscription = ProviderSubscription(userID: user, createdAt: created, renewsAt: renewed)
        let first = [
            subscription.event("subscription_created"),
            subscription.invoice(id: 1, reason: "initial", createdAt: created),
        ]
        subscription.renewsAt = renewed.addingTimeInterval(30 * 86_400)
        let renewal = [
            subscription.event("subscription_updated", at: renewed.addingTimeInterval(5)),
            subscription.invoice(id: 2, createdAt: renewed),
        ]
        let settings: [String: String?] = [
            "LEMON_SQUEEZY_API_URL": shop.url, "LEMON_SQUEEZY_API_KEY": "key-of-the-tests",
            "LEMON_SQUEEZY_STORE_ID": "4242", "LEMON_SQUEEZY_MODE": "test", "LEMON_SQUEEZY_STARTER_VARIANT_ID": "101",
        ]
        try await Stage.serve(.sqlite, settings) { stage in
            try await stage.database.withStore { _ = try await $0.createUser(email: "ada@example.com", id: user) }
            try await stage.deliver(first)
            // The service asks by itself after its start, and would find the renewal: it is refused, and waits ten minutes.
            try await stage.database.withStore { store in
                try await eventually {
                    try await store.primary.reconcileRuns(limit: 1, before: nil).first?.failure != nil
                }
            }
            shop.change { $0.keys = ["key-of-the-tests": true] }
            shop.hold(first + renewal)
            try await stage.tell("lost_renewal", ["account": user.uuidString.lowercased()])
        }
    }

    @Test("A stranger's subscription gets its account, and what was done is told")
    func stranger() async throws {
        try await Stage.serve(.sqlite, ["LEMON_SQUEEZY_STARTER_VARIANT_ID": "101"]) { stage in
            try await stage.database.withStore { _ = try await $0.createUser(email: "vera@example.com", id: UUID()) }
            var subscription = purchase(of: nil, email: "vera@example.com")
            try await stage.deliver([subscription.event("subscription_created")])
            try await stage.tell("stranger")
        }
    }

    @Test("A viewer can do nothing; without scripts, and by the keyboard alone, an operator can do all")
    func ways() async throws {
        try await Stage.serve(.sqlite) { stage in
            let given = try await crowd(stage)
            let values: [String: any Sendable] = ["pages": given.pages, "account": given.account]
            for story in ["viewer", "without_scripts", "keyboard"] { try await stage.tell(story, values) }
        }
    }

    @Test("In development an address opens the console once, and is nowhere afterwards")
    func ticket() async throws {
        try await Stage.serve(.sqlite, ["SELEXTRACT_CONSOLE_TOKEN": nil, "SELEXTRACT_CONSOLE_VIEWER_TOKEN": nil]) {
            stage in
            #expect(stage.address.contains("/console/login?ticket="))
            try await stage.tell("ticket", ["ticket": stage.address])
        }
    }

    // MARK: What there is to see

    /// A database with something on each page, and the addresses of all pages.
    private func crowd(_ stage: Stage) async throws -> (pages: [String: String], account: String) {
        let (ada, policy) = (UUID(), BillingPolicy())
        try await stage.database.withStore { store in
            for (variant, plan) in [("101", "starter"), ("102", "professional")] {
                try await store.mapVariant(variant, to: plan)
            }
            _ = try await store.createUser(email: "ada@example.com", id: ada)
            _ = try await store.createKey(for: ada, name: "laptop")
        }
        let created = now.addingTimeInterval(-40 * 86_400)
        var own = ProviderSubscription(userID: ada, createdAt: created, renewsAt: created.adding(months: 1))
        var bodies = [own.event("subscription_created"), own.invoice(id: 1, reason: "initial", createdAt: created)]
        own.renewsAt = created.adding(months: 2)
        own.variantID = "102"
        bodies += [
            own.event("subscription_updated", at: created.adding(months: 1)),
            own.invoice(id: 2, createdAt: created.adding(months: 1)),
        ]
        var buyers: [UUID] = []
        for number in 0..<7 {
            let buyer = UUID()
            if number < 3 { buyers.append(buyer) }
            var other = purchase(of: buyer, email: "buyer\(number)@example.com")
            (other.id, other.customerID) = ("92000\(number)", "52000\(number)")
            if number < 3 { other.variantID = "777" }
            if number > 4 { other.storeID = "999" }
            bodies.append(other.event("subscription_created"))
        }
        try await stage.database.withStore { [buyers] store in
            for (number, buyer) in buyers.enumerated() {
                _ = try await store.createUser(email: "buyer\(number)@example.com", id: buyer)
            }
        }
        bodies.append(
            Array(#"{"meta":{"event_name":"affiliate_activated"},"data":{"type":"affiliates","id":"1"}}"#.utf8))
        try await stage.deliver(bodies)
        let (event, run) = try await stage.database.withStore { store in
            let who = Operator(name: "ada", origin: "console, 127.0.0.1")
            try await store.consumeComputeUnits(1234, for: UUID(), of: ada, policy: policy)
            _ = try await store.adjust(ada, units: 200, reason: "a slow week", by: who, policy: policy)
            let run = try await store.beginReconcile(dryRun: true, since: nil, by: who)
            try await store.endReconcile(
                run, calls: 4, seen: 12, stored: 2,
                findings: ReconcileFindings(
                    outcomes: ["applied": 2], waiting: [.init(id: "920001", reason: "unknown_plan")],
                    differences: [
                        .init(
                            account: ada, tierBefore: "starter", tierAfter: "professional", unitsBefore: 10,
                            unitsAfter: 5000)
                    ]), failure: nil)
            let events = try await store.primary.eventRecords(EventFilter(), limit: 100, before: nil)
            return (try #require(events.first { $0.subscriptionID == own.id }).id.uuidString.lowercased(), run)
        }
        let account = ada.uuidString.lowercased()
        let pages = [
            "now": "", "waiting": "waiting", "events": "events", "events-filtered": "events?outcome=parked",
            "event": "events/\(event)", "accounts": "accounts", "account": "accounts/\(account)",
            "ledger": "accounts/\(account)/ledger", "subscription": "subscriptions/\(own.id)", "plans": "plans",
            "reconcile": "reconcile", "run": "reconcile/\(run.uuidString.lowercased())", "health": "health",
            "actions": "actions", "act-map": "acts/map?variant=777", "act-who": "acts/bind?subscription=920004",
            "act-bind": "acts/bind?subscription=920004&who=ada@example.com", "act-adjust": "acts/adjust?who=\(account)",
            "act-grant": "acts/grant?who=\(account)",
            "act-discard": "acts/discard?outcome=parked&reason=unknown_account&subscription=920004",
        ]
        return (pages, account)
    }
}

extension StandIn {
    /// The objects as the API shows them after these deliveries.
    fileprivate func hold(_ bodies: [[UInt8]]) {
        change { state in
            for body in bodies {
                guard let data = (try? JSONValue(parsing: body))?["data"], case .string(let type)? = data["type"],
                    case .string(let id)? = data["id"], case .object(let attributes)? = data["attributes"]
                else { continue }
                state.put(type, id: id, attributes)
            }
        }
    }
}
