import Accounts
import Billing
import Databases
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// What another program writes into `user_subscriptions` while this one runs (R19, R21).
@Suite(.timeLimit(.minutes(15))) struct AdoptionClockTests {
    private let policy = BillingPolicy()
    private static let row = "00000000-0000-4000-8000-000000000900"

    /// Another program sells professional: its account has 4200 units left.
    private func sell(_ database: TestDatabase, id: String? = "930001", status: String = "active") async throws {
        let named = id.map { "'\($0)'" } ?? "null"
        try await database.execute(
            """
            update users set subscription_tier = 'professional', compute_units_remaining = 4200
            where id = '\(ada.lowercased)';
            insert into user_subscriptions (
                id, user_id, plan_id, lemon_squeezy_subscription_id, status, current_period_start, current_period_end
            )
            values (
                '\(Self.row)', '\(ada.lowercased)', 'professional', \(named), '\(status)', '2026-10-12 09:30:10+00:00',
                '2026-11-12 09:30:10+00:00'
            )
            """)
    }

    private func withSold(
        _ kind: DatabaseKind, id: String? = "930001", _ body: (TestDatabase, Store) async throws -> Void
    ) async throws {
        try await kind.withDatabase { database in
            // The view goes by the database's clock, and the sale lies around it.
            try await database.withStore(clock: TestClock(.utc("2026-10-20 00:00:00"))) { store in
                try await store.prepare()
                try await sell(database, id: id)
                try await body(database, store)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `the clock takes over what another program sold, each second and once`(kind: DatabaseKind) async throws {
        try await withSold(kind) { _, store in
            #expect(try await Tick(store, policy: policy).run(onlyDue: true).adopted == 1)
            #expect(try await store.user(id: ada)?.subscriptionTier == "professional")
            #expect(try await store.user(id: ada)?.computeUnitsRemaining == 4200)
            #expect(try await Tick(store, policy: policy).run().adopted == 0)
            #expect(try await store.subscription("930001")?.source == .provider)
            #expect(try await store.user(id: ada)?.computeUnitsRemaining == 4200)
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
            let records = try await store.primary.eventRecords(EventFilter(), limit: 9, before: nil)
            #expect(records.map(\.source) == [.adopted])
            #expect(records.map(\.name) == ["subscription_adopted"])
            let story = try await TimeLine(account: ada, store: store, policy: policy)
            let rules = story.items.flatMap { item -> [String] in
                if case .event(_, let reasons, _) = item.item { reasons.map(\.rule) } else { [] }
            }
            #expect(rules == ["R21"])
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a row with an event of ours is not taken over`(kind: DatabaseKind) async throws {
        try await withSold(kind) { _, store in
            try await store.receive([ProviderSubscription.purchase(id: "930001").event0])
            #expect(try await Tick(store, policy: policy).run().adopted == 0)
            #expect(try await store.user(id: ada)?.subscriptionTier == "starter")
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a plan without a provider's id gives nothing until an operator takes it over`(
        kind: DatabaseKind
    ) async throws {
        try await withSold(kind, id: nil) { _, store in
            #expect(try await Tick(store, policy: policy).run().adopted == 0)
            #expect(try await store.entitlement(user: ada)?.planID == "free")
            let adopted = try await store.adopt(subscription: Self.row, policy: policy)
            #expect(adopted.planID == "professional")
            let rows = try await store.primary.subscriptions(user: ada, limit: 9, before: nil)
            #expect(rows.map(\.source) == [.granted])
            #expect(rows.map(\.id.lowercased) == [Self.row])
            #expect(try await store.user(id: ada)?.computeUnitsRemaining == 5000)
            let again = await storeError { _ = try await store.adopt(subscription: Self.row, policy: policy) }
            guard case .conflict = again else {
                Issue.record("\(String(describing: again))")
                return
            }
            let unknown = await storeError { _ = try await store.adopt(subscription: "1", policy: policy) }
            #expect(unknown == .notFound("subscription “1”"))
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an operator takes over what the provider sold, by its id`(kind: DatabaseKind) async throws {
        try await withSold(kind) { _, store in
            let adopted = try await store.adopt(subscription: "930001", policy: policy)
            #expect(adopted.subscriptionID == "930001")
            #expect(try await store.user(id: ada)?.computeUnitsRemaining == 4200)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a status that another program writes is put right, and told`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
                _ = try await Tick(store, policy: policy).run()
                #expect(try await store.overwrites(of: ada) == [])
                try await database.execute("update user_subscriptions set status = 'expired', plan_id = 'enterprise'")
                let report = try await Tick(store, policy: policy).run(onlyDue: true)
                #expect(report.putRight == 1)
                let row = try #require(try await store.subscription("910001"))
                #expect((row.status, row.planID) == ("active", "starter"))
                let overwrite = try #require(try await store.overwrites(of: ada).first)
                #expect((overwrite.statusBefore, overwrite.statusWritten) == ("active", "expired"))
                #expect((overwrite.planBefore, overwrite.planWritten) == ("starter", "enterprise"))
                #expect(overwrite.putRightAt != nil)
                #expect(try await Tick(store, policy: policy).run().putRight == 0)
                let story = try await TimeLine(account: ada, store: store, policy: policy)
                #expect(story.items.contains { if case .overwrite = $0.item { true } else { false } })
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `units that another program gave beside an event are told with their number`(
        kind: DatabaseKind
    ) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
                let before = try await TimeLine(account: ada, store: store, policy: policy)
                #expect(before.doublings.isEmpty)
                try await database.execute(
                    "update users set compute_units_remaining = compute_units_remaining + 1000")
                try await store.transaction { _ = try await Fold($0, policy: policy).refresh(users: [ada]) }
                let after = try await TimeLine(account: ada, store: store, policy: policy)
                #expect(after.doublings.map(\.entry.units) == [1000])
                // Another number is somebody's gift.
                try await database.execute(
                    "update users set compute_units_remaining = compute_units_remaining + 999")
                try await store.transaction { _ = try await Fold($0, policy: policy).refresh(users: [ada]) }
                let later = try await TimeLine(account: ada, store: store, policy: policy)
                #expect(later.doublings.map(\.entry.units) == [1000])
                #expect(try await store.doublings().map(\.email) == ["ada@example.com"])
                // An adjustment by another number takes nothing back.
                for (units, left) in [(-999, [1000]), (-1000, [])] {
                    try await store.transaction {
                        _ = try await Fold($0, policy: policy).grant(
                            UnitRequest(userID: ada, kind: .adjust(reason: "given twice"), units: units))
                    }
                    #expect(try await store.doublings().map(\.record.entry.units) == left)
                    let story = try await TimeLine(account: ada, store: store, policy: policy)
                    #expect(story.doublings.map(\.entry.units) == left)
                }
            }
        }
    }
}
