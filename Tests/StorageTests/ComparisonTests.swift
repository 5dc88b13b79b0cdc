import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// What `reconcile --dry-run` says beside what a run then does, and which renewals are overdue beside the rule.
@Suite struct ComparisonTests {
    private static let begin = Date.utc("2026-10-01 00:00:00")

    private func object(_ body: [UInt8]) throws -> InboxEvent? {
        let data = try #require(try JSONValue(parsing: body)["data"])
        let type = try #require(data["type"]?.text(atMost: 100))
        return InboxEvent(observed: type, bytes: data.wireBytes())
    }

    /// Lists as the API shows them, of accounts with up to three subscriptions at different customers, far from each other.
    private func pages(_ users: [UUID], _ store: Store) async throws -> [[InboxEvent]] {
        var lists: [[InboxEvent]] = [[], [], []]
        for line in 0..<3 {
            for (index, user) in users.enumerated() where index % (line + 1) == 0 {
                var subscription = ProviderSubscription(
                    userID: user, createdAt: Self.begin.addingTimeInterval(Double(index * 3 + line) * 60),
                    renewsAt: .utc("2026-11-01 12:00:00"))
                subscription.id = "\(1000 * (line + 1) + index)"
                subscription.customerID = "\(5000 + 1000 * line + index)"
                subscription.orderID = "\(9000 + 1000 * line + index)"
                // Some are found by their e-mail alone, and some of all are strangers.
                subscription.email = index % 10 == 9 ? "stranger@example.org" : "\(index)@example.com"
                subscription.variantID = ["101", "102", "999"][(index + line) % 3]
                // What came as a delivery says whose it is; the others wait.
                if index % 5 != 4 { try await store.receive([subscription.event("subscription_created")]) }
                subscription.variantID = ["102", "101"][(index + line) % 2]
                let shown = subscription.event("subscription_updated", at: Self.begin.addingTimeInterval(86_400 * 3))
                lists[line].append(try #require(try object(shown)))
                let invoice = subscription.invoice(
                    id: 20_000 + 1000 * line + index, reason: "initial", createdAt: subscription.createdAt)
                lists[2 - line].append(try #require(try object(invoice)))
            }
        }
        // Lists overlap: what a page shows, a later one shows again with another link.
        let pages = lists.flatMap { list in
            stride(from: 0, to: list.count, by: 40).map { Array(list[$0..<min($0 + 40, list.count)]) }
        }
        return pages + [Array(pages[0].prefix(7))]
    }

    @Test("A dry run says what the run then does, and writes nothing", arguments: DatabaseKind.allCases)
    func comparison(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let clock = TestClock(.utc("2026-10-20 00:00:00"))
            try await database.withStore(clock: clock) { store in
                try await store.mapPlans()
                var users: [UUID] = []
                for index in 0..<60 {
                    let id = UUID()
                    _ = try await store.createUser(email: "\(index)@example.com", id: id)
                    users.append(id)
                }
                let pages = try await pages(users, store)
                var policy = BillingPolicy()
                policy.matchByEmail = true
                let observations = Observations(store, policy: policy)
                let stored = "select '' || count(*) from webhook_events"
                let before = try await database.values(stored)

                var news: [[InboxEvent]] = []
                for page in pages { news.append(try await observations.news(page)) }
                let said = try await observations.compare(news)
                #expect(try await database.values(stored) == before)

                let shownBefore = try await shown(store, users)
                var report = Observations.Report()
                for page in pages { report.add(try await observations.take(page)) }
                let shownAfter = try await shown(store, users)

                #expect(said.report.stored == report.stored && report.stored > 100)
                #expect(said.report.outcomes == report.outcomes)
                #expect(said.report.waiting == report.waiting && !report.waiting.isEmpty)
                let differences = Dictionary(uniqueKeysWithValues: said.differences.map { ($0.userID, $0) })
                #expect(differences.count > 20)
                for user in users {
                    let (old, new) = (try #require(shownBefore[user]), try #require(shownAfter[user]))
                    if let difference = differences[user] {
                        #expect(difference.unitsBefore == old.units && difference.unitsAfter == new.units)
                        #expect(difference.tierBefore == old.tier && difference.tierAfter == new.tier)
                        #expect(difference.resetAfter == new.reset)
                    } else {
                        #expect(old == new)
                    }
                }
            }
        }
    }

    private struct Shown: Hashable {
        var tier: String
        var units: Int
        var reset: Date
    }

    private func shown(_ store: Store, _ users: [UUID]) async throws -> [UUID: Shown] {
        var found: [UUID: Shown] = [:]
        for id in users {
            let user = try #require(try await store.user(id: id))
            found[id] = Shown(
                tier: user.subscriptionTier, units: user.computeUnitsRemaining, reset: user.computeUnitsResetDate)
        }
        return found
    }

    @Test("A dry run's transactions are small", arguments: DatabaseKind.allCases)
    func batches(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let clock = TestClock(.utc("2026-10-20 00:00:00"))
            try await database.withStore(clock: clock) { _ in }
            let log = StatementLog()
            let store = try database.open(clock: clock) { $0.observe = { sql, _, _ in log.note(sql) } }
            let events = try (0..<450).map { number in
                var subscription = ProviderSubscription(
                    userID: nil, createdAt: Self.begin, renewsAt: .utc("2026-11-01 12:00:00"))
                (subscription.id, subscription.customerID) = ("\(1000 + number)", "\(5000 + number)")
                subscription.orderID = "\(9000 + number)"
                return try #require(try object(subscription.event("subscription_created")))
            }
            _ = try await Observations(store, policy: BillingPolicy()).compare([events])
            await store.close()
            #expect(log.all.count { $0.lowercased().hasPrefix("insert into webhook_events") } == 5)
        }
    }

    @Test("The overdue renewals of a store are those of the rule, at any moment", arguments: DatabaseKind.allCases)
    func overdue(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let clock = TestClock(.utc("2026-10-01 00:00:00"))
            try await database.withStore(clock: clock) { store in
                try await store.mapPlans()
                var (overdue, compared) = (0, 0)
                for seed in 1...UInt64(12) {
                    let life = Life(seed: seed)
                    let runner = LifeRunner(stores: [store], clock: clock)
                    try await runner.begin(life)
                    var random = SplitMix(seed: seed)
                    let lossy = life.losing(percent: 40, &random)
                    try await runner.inOrder(lossy)
                    for days in [0, 1, 2, 20, 33, 70] {
                        let moment = lossy.end.addingTimeInterval(Double(days) * 86_400)
                        clock.set(moment)
                        _ = try await Tick(store, policy: life.policy).run()
                        let line = try await TimeLine(account: life.user, store: store, policy: life.policy)
                        let mine = Set(line.subscriptions.compactMap(\.lemonSqueezySubscriptionID))
                        let found = Set(
                            try await store.primary.overdueRenewals(
                                at: moment, grace: life.policy.renewalOverdueAfter, limit: 10_000))
                        #expect(found.intersection(mine) == line.overdue.intersection(mine), "seed \(seed) \(moment)")
                        overdue += line.overdue.count
                        compared += mine.count
                    }
                }
                #expect(overdue > 10 && compared > overdue)
            }
        }
    }

    @Test("Overdue is a month that is locked, also where later ones are paid", arguments: DatabaseKind.allCases)
    func lockedMonth(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let clock = TestClock(.utc("2026-10-01 00:00:00"))
            try await database.withStore(clock: clock) { store in
                try await store.mapPlans()
                let user = UUID()
                _ = try await store.createUser(email: "ada@example.com", id: user)
                var subscription = ProviderSubscription(
                    userID: user, createdAt: .utc("2026-10-12 09:30:04"), renewsAt: .utc("2027-10-12 09:30:01"))
                clock.set(.utc("2026-12-20 00:00:00"))
                try await store.receive([
                    subscription.event("subscription_created"),
                    subscription.invoice(
                        "subscription_payment_failed", id: 1, status: "pending",
                        createdAt: .utc("2026-12-12 09:30:04")),
                ])
                let line = try await TimeLine(account: user, store: store, policy: BillingPolicy())
                #expect(line.overdue == ["910001"])
                func found(_ moment: String) async throws -> [String] {
                    try await store.primary.overdueRenewals(at: .utc(moment), grace: 86_400, limit: 10)
                }
                #expect(try await found("2026-12-20 00:00:00") == ["910001"])
                #expect(try await found("2026-12-13 09:30:04") == [])
                #expect(try await found("2026-12-13 09:30:05") == ["910001"])
                clock.set(.utc("2027-01-12 09:30:04"))
                _ = try await Tick(store, policy: BillingPolicy()).run()
                #expect(try await found("2027-01-20 00:00:00") == [])

                // As an older program left it.
                clock.set(.utc("2026-12-20 00:00:00"))
                try await database.execute("update user_subscriptions set units_until = null")
                try await database.execute("update users set billing_due_at = '2026-12-19T00:00:00.000Z'")
                _ = try await Tick(store, policy: BillingPolicy()).run()
                #expect(try await found("2026-12-20 00:00:00") == ["910001"])
            }
        }
    }
}
