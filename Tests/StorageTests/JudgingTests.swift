import Accounts
import Billing
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// R4, R5, R17: what settings decide, and what of it stays, each way by itself.
@Suite struct JudgingTests {
    private let wrong = BillingPolicy(acceptance: Acceptance(storeID: "4243"))
    private let right = BillingPolicy(acceptance: Acceptance(storeID: "4242", mode: .test))

    private func withQuarantined(
        _ kind: DatabaseKind, _ body: (Store, [UInt8], UUID) async throws -> Void
    ) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            try await store.adopt(wrong, host: "wrong")
            let bytes = ProviderSubscription.purchase().event0
            let receipt = try await store.receive([bytes])[0]
            #expect(receipt.outcome == .quarantined)
            try await store.adopt(right, host: "right")
            try await body(store, bytes, receipt.eventID)
        }
    }

    @Test("A resend alone is judged by the settings of now", arguments: DatabaseKind.allCases)
    func resend(_ kind: DatabaseKind) async throws {
        try await withQuarantined(kind) { store, bytes, _ in
            let receipts = try await store.receive([bytes, bytes])
            #expect(receipts.allSatisfy { $0.isDuplicate && $0.outcome == .applied })
            #expect(try await store.picture(of: ada).tier == "starter")
        }
    }

    @Test("A retry alone is judged by the settings of now", arguments: DatabaseKind.allCases)
    func retry(_ kind: DatabaseKind) async throws {
        try await withQuarantined(kind) { store, _, id in
            let first = try await store.retry(events: [id], policy: .init())
            #expect(first.haveChanged)
            #expect(try await store.picture(of: ada).tier == "starter")
            let second = try await store.retry(events: [id], policy: .init())
            #expect(!second.haveChanged)
        }
    }

    @Test(
        "The clock accepts where a store and a mode are configured, and only what fits",
        arguments: DatabaseKind.allCases)
    func clock(_ kind: DatabaseKind) async throws {
        try await withQuarantined(kind) { store, _, id in
            var foreign = ProviderSubscription.purchase(id: "910008")
            (foreign.storeID, foreign.customerID, foreign.orderID) = ("77", "78", "79")
            try await store.receive([foreign.event("subscription_created")])
            let report = try await Tick(store, policy: .init()).run()
            #expect(report.accepted == 1)
            #expect(try await store.eventRecord(id)?.outcome == .applied)
            #expect(try await store.picture(of: ada).subscriptions.map(\.lemonSqueezySubscriptionID) == ["910001"])
        }
    }

    @Test("What was accepted is not judged again, by a retry, a rebuild or a resend", arguments: DatabaseKind.allCases)
    func accepted(_ kind: DatabaseKind) async throws {
        try await withQuarantined(kind) { store, bytes, id in
            _ = try await Tick(store, policy: .init()).run()
            try await store.adopt(wrong, host: "wrong")
            #expect(try await store.receive([bytes])[0].outcome == .applied)
            _ = try await store.retry(events: [id], policy: .init())
            _ = try await Rebuild(store, policy: .init()).run(check: false)
            #expect(try await store.eventRecord(id)?.outcome == .applied)
            #expect(try await store.picture(of: ada).tier == "starter")
        }
    }

    @Test(
        "What cannot be read is quarantined too, and waits to be read once it is accepted",
        arguments: DatabaseKind.allCases)
    func undecodable(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            let text = String(decoding: ProviderSubscription.purchase().event0, as: UTF8.self)
            let bytes = Array(text.replacing(#""status":"active""#, with: #""status":null"#).utf8)
            let receipt = try await store.receive([bytes], policy: wrong)[0]
            #expect(receipt.outcome == .quarantined)
            _ = try await Tick(store, policy: right).run()
            let record = try await store.eventRecord(receipt.eventID)
            #expect(record?.outcome == .parked)
            #expect(record?.reason == "undecodable: data.attributes.status is missing")
        }
    }

    @Test(
        "A match by e-mail stays when the account's e-mail changes; the newest counts", arguments: DatabaseKind.allCases
    )
    func match(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let clock = TestClock(afterPurchase)
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                _ = try await store.createUser(email: "bob@example.com", id: bob)
                try await store.receive(
                    [ProviderSubscription.purchase(of: nil).event0], policy: BillingPolicy(matchByEmail: true))
                try await database.execute(
                    "update users set email = 'ada2@example.com' where id = '\(ada.lowercased)'")
                try await store.transaction { _ = try await Fold($0, policy: .init()).refresh(users: [ada]) }
                #expect(try await store.picture(of: ada).tier == "starter")
                clock.advance(by: 60)
                try await store.transaction {
                    try await $0.insert(
                        OperatorAction(userID: bob, kind: .match(subscription: "910001"), reason: nil))
                    _ = try await Fold($0, policy: .init()).refresh(
                        users: [], relations: Relations(subscriptions: ["910001"]))
                }
                #expect(try await store.picture(of: bob).tier == "starter")
                #expect(try await store.picture(of: ada).tier == "free")
            }
        }
    }

    @Test(
        "A row that was computed for a later moment is put right by the tick itself", arguments: DatabaseKind.allCases)
    func clockAhead(_ kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            try await store.receive([ProviderSubscription.purchase().event0])
            let before = try await store.picture(of: ada)
            clock.set(.utc("2027-03-01 00:00:00"))
            _ = try await Tick(store, policy: .init()).run()
            #expect(try await store.picture(of: ada) != before)
            clock.set(afterPurchase)
            #expect(try await Tick(store, policy: .init()).run().accounts == 1)
            #expect(try await store.picture(of: ada) == before)
            #expect(try await Tick(store, policy: .init()).run().accounts == 0)
        }
    }

    @Test("New settings, and a version with new rules, look at all accounts once", arguments: DatabaseKind.allCases)
    func revisions(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                func looksAt() async throws -> Int { try await Tick(store, policy: .init()).run().accounts }
                #expect(try await looksAt() == 1)
                try await store.adopt(right, host: "a")
                #expect(try await looksAt() == 1)
                #expect(try await store.adopt(right, host: "b") == nil)
                #expect(try await looksAt() == 0)
                try await database.execute("update billing_settings set rules = 1")
                #expect(try await store.adopt(right, host: "c")?.rules == 1)
                #expect(try await looksAt() == 1)
                #expect(try await looksAt() == 0)
            }
        }
    }

    @Test("A grant is its account's alone, and ends when it was said to", arguments: DatabaseKind.allCases)
    func grants(_ kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            let until = Date.utc("2026-11-01 00:00:00")
            try await store.grant("professional", to: ada, until: until, reason: "beta", policy: .init())
            try await store.transaction { _ = try await Fold($0, policy: .init()).refresh(users: [ada, bob]) }
            #expect(try await store.picture(of: ada).tier == "professional")
            #expect(try await store.picture(of: bob).tier == "free")
            #expect(try await store.entitlement(user: ada)?.accessUntil == until)
            // Ended by hand, it ends for that account alone, also where both are computed at once.
            try await store.grant("starter", to: bob, until: nil, reason: "beta", policy: .init())
            try await store.endGrants(of: bob, reason: nil, policy: .init())
            try await store.transaction { _ = try await Fold($0, policy: .init()).refresh(users: [ada, bob]) }
            #expect(try await store.picture(of: ada).tier == "professional")
            #expect(try await store.picture(of: bob).tier == "free")
            clock.set(until)
            #expect(try await store.entitlement(user: ada)?.planID == "free")
            _ = try await Tick(store, policy: .init()).run()
            #expect(try await store.picture(of: ada).tier == "free")
        }
    }
}
