import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Storage
import TestSupport
import Testing

/// Events that did not come by webhook.
@Suite struct EventSourceTests {
    @Test("What was fetched or adopted is stored without a signature, and counts", arguments: DatabaseKind.allCases)
    func unsigned(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            var bought = ProviderSubscription.purchase()
            let fetched = InboxEvent(Delivery(body: bought.event("subscription_created"), source: .api))
            let adopted = InboxEvent(
                Delivery(body: bought.event("subscription_updated", at: bought.createdAt + 1), source: .adopted))
            let decisions = try await store.transaction {
                try await Fold($0, policy: BillingPolicy()).receive([fetched, adopted])
            }
            #expect(decisions.first?.outcome == .applied)
            #expect(try await store.picture(of: ada).tier == "starter")
            let records = try await store.primary.eventRecords(EventFilter(), limit: 9, before: nil)
            #expect(records.map(\.source) == [.adopted, .api])
            #expect(records.map(\.signature) == [nil, nil])
            #expect(records.map(\.matchedSecret) == [nil, nil])
            // Delivered afterwards, the same bytes are the same event.
            let delivered = try await store.receive([fetched.delivery.body])
            #expect(delivered.map(\.isDuplicate) == [true])
            #expect(try await store.eventRecord(decisions[0].eventID)?.source == .api)
        }
    }

    @Test("A webhook's cannot be stored without signature and secret", arguments: DatabaseKind.allCases)
    func signed(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            let body = ProviderSubscription.purchase().event0
            for (signature, secret) in [(nil, nil), ("00", nil), (nil, .current)] as [(String?, SecretMatch?)] {
                let event = InboxEvent(
                    Delivery(body: body, source: .webhook, signature: signature, matchedSecret: secret))
                await #expect(throws: StoreError.self) {
                    _ = try await store.transaction { try await $0.insert([event]) }
                }
            }
            #expect(try await store.primary.eventRecords(EventFilter(), limit: 9, before: nil).isEmpty)
            try await store.receive([body])
            #expect(
                try await store.primary.eventRecords(EventFilter(), limit: 9, before: nil).map(\.source) == [.webhook])
        }
    }

    @Test("Nor can one become a webhook's afterwards, or of another source", arguments: DatabaseKind.allCases)
    func changed(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                let event = InboxEvent(Delivery(body: ProviderSubscription.purchase().event0, source: .api))
                _ = try await store.transaction { try await $0.insert([event]) }
            }
            for source in ["webhook", "email"] {
                await #expect(throws: (any Error).self) {
                    try await database.execute("update webhook_events set source = '\(source)'")
                }
            }
            #expect(try await database.values("select source from webhook_events") == ["api"])
        }
    }
}
