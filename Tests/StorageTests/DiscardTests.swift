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

/// R3: what an operator discards counts for nothing until it is retried.
@Suite struct DiscardTests {
    private let policy = BillingPolicy()
    private let tester = Operator(name: "grace", origin: "desk")

    private func discard(_ store: Store, _ id: UUID) async throws -> EventRecord? {
        try await store.discard(events: [id], reason: "a test", by: tester, policy: policy).first
    }

    @Test(
        "It counts for nothing in whatever order the others come, for the clock, a resend and a rebuild",
        arguments: DatabaseKind.allCases)
    func anyOrder(_ kind: DatabaseKind) async throws {
        var upgraded = ProviderSubscription.purchase()
        upgraded.variantID = "102"
        let unwanted = upgraded.event("subscription_updated", at: .utc("2026-10-12 09:40:00"))
        let purchase = ProviderSubscription.purchase()
        let others = [
            purchase.event0, purchase.order(),
            purchase.invoice(id: 1, reason: "initial", createdAt: .utc("2026-10-12 09:30:01")),
        ]
        let clock = TestClock(afterPurchase)
        func picture(discarding: Bool, _ order: [[UInt8]]) async throws -> AccountPicture {
            try await kind.withStore(clock: clock) { store in
                try await store.mapPlans()
                if discarding {
                    let id = try await store.receive([unwanted])[0].eventID
                    #expect(try await store.eventRecord(id)?.reason == "unknown_account")
                    let record = try await discard(store, id)
                    #expect(record?.outcome == .ignored && record?.reason == "discarded")
                }
                for (index, body) in order.enumerated() {
                    if index == 1 {
                        _ = try await store.createAccount(email: "ada@example.com", id: ada, policy: policy)
                    }
                    try await store.receive([body])
                }
                if discarding {
                    let again = try await store.receive([unwanted, unwanted])
                    #expect(again.allSatisfy { $0.isDuplicate && $0.outcome == .ignored && $0.reason == "discarded" })
                }
                _ = try await Tick(store, policy: policy).run()
                #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
                let picture = try await store.picture(of: ada)
                _ = try await Rebuild(store, policy: policy).run(check: false)
                #expect(try await store.picture(of: ada) == picture)
                if discarding {
                    var filter = EventFilter()
                    filter.reason = "discarded"
                    let records = try await store.primary.eventRecords(filter, limit: 9, before: nil)
                    #expect(records.map(\.deliveries) == [3])
                    let retried = try await store.retry(events: records.map(\.id), policy: policy)
                    #expect(retried.haveChanged && retried.events.map(\.outcome) == [.applied])
                    #expect(try await store.picture(of: ada).tier == "professional")
                    #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
                }
                return picture
            }
        }
        let without = try await picture(discarding: false, others)
        #expect((without.tier, without.units) == ("starter", 1000))
        for order in others.permutations {
            #expect(try await picture(discarding: true, order) == without)
        }
    }

    @Test(
        "An account for which it counted is computed without it, and the act is on record",
        arguments: DatabaseKind.allCases)
    func counted(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            var purchase = ProviderSubscription.purchase()
            try await store.receive([purchase.event0])
            let before = try await store.picture(of: ada)
            // Its plan is not known, but its status and dates count.
            (purchase.variantID, purchase.status, purchase.endsAt) = ("999", "expired", .utc("2026-10-12 09:50:00"))
            let bytes = purchase.event("subscription_expired", at: .utc("2026-10-12 09:50:00"))
            let id = try await store.receive([bytes])[0].eventID
            #expect(try await store.eventRecord(id)?.reason == "unknown_plan")
            #expect(try await store.picture(of: ada).tier == "free")

            let record = try await discard(store, id)
            #expect(record?.isDiscarded == true && record?.userID == nil)
            #expect(try await store.picture(of: ada) == before)
            try await store.mapVariant("999", to: "starter")
            try await store.release(policy: policy)
            _ = try await Tick(store, policy: policy).run()
            #expect(try await store.picture(of: ada) == before)
            let acts = try await store.operatorRecords(user: ada, subscription: nil)
            #expect(acts.map(\.kind) == [.discard])
            #expect(acts.first?.event == id && acts.first?.by == tester && acts.first?.reason == "a test")
            #expect(try await store.operatorRecords(user: nil, subscription: "910001") == acts)

            _ = try await store.retry(events: [id], policy: policy)
            #expect(try await store.picture(of: ada).tier == "free")
        }
    }

    @Test("Beside a checkpoint it counts for nothing either", arguments: DatabaseKind.allCases)
    func checkpoint(_ kind: DatabaseKind) async throws {
        let clock = TestClock(.utc("2026-01-01 00:00:00"))
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.mapPlans()
                try await store.adopt(policy, host: "here")
                _ = try await store.createAccount(email: "ada@example.com", id: ada, policy: policy)
                var subscription = ProviderSubscription.purchase(of: ada, id: "7")
                for month in 1...24 {
                    let due = subscription.createdAt.adding(months: month)
                    clock.set(due.addingTimeInterval(60))
                    subscription.renewsAt = subscription.createdAt.adding(months: month + 1)
                    try await store.receive([
                        subscription.invoice(id: month, reason: "renewal", createdAt: due),
                        subscription.event("subscription_updated", at: due.addingTimeInterval(5)),
                    ])
                }
                #expect(try await database.values("select subscription_id from subscription_checkpoints") == ["7"])
                let before = try await store.picture(of: ada)
                // Of long ago, and only now; once it is mapped it would change months that are closed.
                subscription.variantID = "999"
                let moment = subscription.createdAt.adding(months: 4).addingTimeInterval(-10 * 86_400)
                let late = subscription.event("subscription_updated", at: moment)
                let id = try await store.receive([late])[0].eventID
                #expect(try await discard(store, id)?.isDiscarded == true)
                try await store.mapVariant("999", to: "professional")
                try await store.release(policy: policy)
                #expect(try await store.picture(of: ada) == before)
                #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
                subscription.variantID = "101"
                clock.advance(by: 3600)
                try await store.receive([subscription.event("subscription_updated", at: clock.now)])
                #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
                #expect(try await store.picture(of: ada).buckets == before.buckets)

                _ = try await store.retry(events: [id], policy: policy)
                #expect(try await store.picture(of: ada).buckets != before.buckets)
                #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
            }
        }
    }

    @Test("What counts, or waits for nothing, is not discarded, and then nothing is", arguments: DatabaseKind.allCases)
    func refused(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                var stranger = ProviderSubscription.purchase(of: bob, id: "910002")
                (stranger.customerID, stranger.orderID, stranger.email) = ("515002", "616002", "bob@example.com")
                let receipts = try await store.receive([
                    stranger.event0, ProviderSubscription.purchase().event0, [1, 2, 3],
                ])
                let (parked, applied, rejected) = (receipts[0].eventID, receipts[1].eventID, receipts[2].eventID)
                let picture = try await store.picture(of: ada)
                for (id, outcome) in [(applied, "applied"), (rejected, "rejected")] {
                    let refusal = await storeError {
                        _ = try await store.discard(events: [parked, id], reason: "a test", policy: policy)
                    }
                    #expect(
                        refusal
                            == .conflict(
                                "event “\(id.lowercased)” is \(outcome): only what is parked, failed or quarantined can be "
                                    + "discarded"))
                }
                let unknown = UUID()
                let missing = await storeError {
                    _ = try await store.discard(events: [parked, unknown], reason: "a test", policy: policy)
                }
                #expect(missing == .notFound("event “\(unknown.lowercased)”"))
                #expect(try await store.eventRecord(parked)?.outcome == .parked)
                #expect(try await store.picture(of: ada) == picture)
                #expect(try await database.values("select kind from operator_actions") == [])

                _ = try await discard(store, parked)
                let twice = await storeError { _ = try await discard(store, parked) }
                #expect(twice?.description.contains("is discarded already: only what is parked") == true)
            }
        }
    }

    @Test("What failed, is quarantined or cannot be read is discarded, too", arguments: DatabaseKind.allCases)
    func kinds(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            let live = BillingPolicy(acceptance: Acceptance(mode: .live))
            let test = BillingPolicy(acceptance: Acceptance(mode: .test))
            let body = ProviderSubscription.purchase().event0
            var event = InboxEvent(ProviderSubscription.purchase().order())
            (event.outcome, event.reason) = (.failed, "internal_error")
            let failing = event
            let failed = try await store.transaction { try await $0.insert([failing])[0].eventID }
            let quarantined = try await store.receive([body], policy: live)[0].eventID
            let text = String(decoding: body, as: UTF8.self)
            let unread = Array(text.replacing(#""status":"active""#, with: #""status":null"#).utf8)
            let undecodable = try await store.receive([unread], policy: test)[0].eventID
            let ids = [failed, quarantined, undecodable]
            let records = try await store.discard(events: ids, reason: "a test", policy: test)
            #expect(records.map(\.id) == ids && records.allSatisfy { $0.isDiscarded && $0.nextAttemptAt == nil })
            let report = try await Tick(store, policy: test).run()
            #expect((report.accepted, report.retried, report.failures) == (0, 0, 0))
            #expect(try await store.receive([body], policy: test)[0].reason == "discarded")
            #expect(try await Rebuild(store, policy: test).run(check: true).problems == [])
            #expect(try await store.picture(of: ada).tier == "free")

            let retried = try await store.retry(events: ids, policy: test)
            #expect(retried.events.map(\.outcome) == [.ignored, .applied, .parked])
            #expect(retried.events.map(\.reason) == [nil, nil, "undecodable: data.attributes.status is missing"])
            #expect(try await store.picture(of: ada).tier == "starter")
        }
    }
}
