import Accounts
import Billing
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite("Rebuild")
struct RebuildTests {
    private let policy = BillingPolicy()

    /// What somebody may do to the rows, and what is said of it.
    static let damages: [(sql: String, subject: Rebuild.Difference.Subject)] = [
        ("update users set subscription_tier = 'enterprise'", .account),
        ("update users set compute_units_reset_date = '2026-12-24T00:00:00.000Z'", .account),
        ("update user_subscriptions set status = 'expired'", .subscription),
        ("update user_subscriptions set current_period_end = '2026-12-24T00:00:00.000Z'", .subscription),
        ("delete from user_subscriptions", .subscription),
        ("delete from compute_unit_buckets where line <> 'free'", .bucket),
        ("update compute_unit_buckets set granted = granted + 1 where line <> 'free'", .bucket),
        ("update webhook_events set outcome = 'parked', reason = 'unknown_account' where kind = 'invoice'", .event),
        ("update webhook_events set user_id = null where kind = 'invoice'", .event),
        ("update webhook_events set variant_id = '102' where kind = 'subscription'", .event),
        ("update webhook_events set renews_at = null where kind = 'subscription'", .event),
        ("update webhook_events set status = 'void' where kind = 'invoice'", .event),
    ]

    @Test(
        "What was damaged is found by a check, which changes nothing, and put right by a rebuild",
        arguments: DatabaseKind.allCases, damages.indices)
    func damage(_ kind: DatabaseKind, index: Int) async throws {
        let (sql, subject) = Self.damages[index]
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
                let sound = try await store.picture(of: ada)
                #expect(try await Rebuild(store, policy: policy).run(check: true).problems.isEmpty)
                try await database.execute(sql)
                let damaged = try await store.picture(of: ada)

                let report = try await Rebuild(store, policy: policy, chunk: 2).run(check: true)
                #expect(report.events == 4)
                #expect(report.accounts == 1)
                #expect(report.differences.contains { $0.subject == subject }, "\(report.differences)")
                #expect(try await store.picture(of: ada) == damaged)

                _ = try await Rebuild(store, policy: policy, chunk: 2).run(check: false)
                #expect(try await store.picture(of: ada) == sound)
                #expect(try await Rebuild(store, policy: policy).run(check: true).problems.isEmpty)
            }
        }
    }

    @Test("Units that another program wrote are its own, and no difference", arguments: DatabaseKind.allCases)
    func external(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
                try await database.execute("update users set compute_units_remaining = 250")
                #expect(try await Rebuild(store, policy: policy).run(check: true).problems.isEmpty)
                _ = try await Rebuild(store, policy: policy).run(check: false)
                let entry = try #require(try await store.ledger(user: ada).last?.entry)
                #expect(entry.kind == .external)
                #expect(entry.units == -750)
                #expect(entry.balance == 250)
                #expect(try await store.user(id: ada)?.computeUnitsRemaining == 250)
            }
        }
    }

    @Test("Operators' words and consumption are known to a rebuild", arguments: DatabaseKind.allCases)
    func operators(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
            try await store.bind(subscription: "910001", to: bob, reason: "asked for", policy: policy)
            _ = try await store.adjust(bob, units: 30, reason: "sorry", policy: policy)
            let request = UnitRequest(userID: bob, kind: .consume(task: UUID(), inFull: true), units: 7)
            _ = try await store.transaction { try await Fold($0, policy: policy).grant(request) }
            let picture = try await store.picture(of: bob)
            #expect(picture.units == 1023)
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems.isEmpty)
            _ = try await Rebuild(store, policy: policy).run(check: false)
            #expect(try await store.picture(of: bob) == picture)
            #expect(try await store.picture(of: ada).tier == "free")
        }
    }

    @Test("A quarantined event counts for nothing as long as it is not accepted", arguments: DatabaseKind.allCases)
    func quarantined(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            let live = BillingPolicy(acceptance: Acceptance(mode: .live))
            try await store.receive([ProviderSubscription.purchase().event0], policy: live)
            let report = try await Rebuild(store, policy: live).run(check: false)
            #expect(report.differences.isEmpty)
            #expect(try await store.picture(of: ada).tier == "free")
            let accepted = try await Rebuild(store, policy: BillingPolicy()).run(check: false)
            #expect(accepted.differences.first?.detail == "it is accepted by the settings of now")
            #expect(try await store.picture(of: ada).tier == "starter")
            // What was accepted once stays accepted (R4).
            #expect(try await Rebuild(store, policy: live).run(check: false).differences.isEmpty)
            #expect(try await store.picture(of: ada).tier == "starter")
        }
    }
}
