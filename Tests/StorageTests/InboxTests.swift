import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct InboxTests {
    @Test(arguments: DatabaseKind.allCases)
    func `an event is stored with its bytes, and again it is counted`(kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withStore(clock: clock) { store in
            let body = try Fixtures.event("subscription_created")
            let event = InboxEvent(body)
            let first = try await store.transaction { try await $0.insert([event, event]) }
            #expect(first.map(\.isDuplicate) == [false, true])
            #expect(first[0].eventID == first[1].eventID)
            clock.advance(by: 5.25)
            let other = InboxEvent(Delivery(body: body, signature: "other", matchedSecret: .previous))
            let second = try await store.transaction { try await $0.insert([other]) }
            #expect(second.map(\.isDuplicate) == [true])
            let record = try #require(try await store.eventRecord(first[0].eventID))
            #expect(record.deliveries == 3)
            #expect(record.receivedAt == afterPurchase)
            #expect(record.lastReceivedAt == afterPurchase + 5.25)
            #expect(
                record.redeliveries == [
                    Redelivery(at: afterPurchase, origin: "current"),
                    Redelivery(at: afterPurchase + 5.25, origin: "previous"),
                ])
            #expect(
                (record.name, record.dataType, record.size) == ("subscription_created", "subscriptions", body.count))
            #expect((record.subscriptionID, record.customerID) == (event.subscriptionID, event.customerID))
            #expect((record.outcome, record.attempts, record.nextAttemptAt) == (.parked, 0, nil))
            #expect((record.signature, record.matchedSecret) == (event.delivery.signature, "current"))
            #expect(record.claimedUserID == event.claimedUserID)
            #expect(record.sourceUpdatedAt == event.snapshot?.order.updatedAt)
            #expect(try await store.eventBody(record.id) == body)
            #expect(try await store.eventRecord(UUID()) == nil)
            #expect(try await store.eventBody(UUID()) == nil)
        }
    }

    @Test("Whoever repeats an event a thousand times makes its row no longer", arguments: DatabaseKind.allCases)
    func repeated(_ kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            let event = InboxEvent(try Fixtures.event("subscription_created"))
            let first = try await store.transaction { try await $0.insert([event]) }[0]
            for _ in 1...10 {
                _ = try await store.transaction { try await $0.insert(Array(repeating: event, count: 100)) }
            }
            let record = try #require(try await store.eventRecord(first.eventID))
            #expect(record.deliveries == 1001)
            #expect(record.redeliveries.count == 20)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `bytes that are no text, or nothing at all, are stored as rejected`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            for body in [[], [0], [0xFF, 0x00, 0xFE], Array("{\"a\":\"\\u0000\"}".utf8)] as [[UInt8]] {
                let receipt = try await store.receive([body])[0]
                #expect(receipt.outcome == .rejected)
                #expect(try await store.eventBody(receipt.eventID) == body)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `every payload reads back as the rules decoded it`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            let events = try Fixtures.all().map { InboxEvent($0.body) }
            let insertions = try await store.transaction { try await $0.insert(events) }
            #expect(insertions.count == events.count)
            let stored = try await store.transaction {
                try await $0.events(
                    Relations(
                        customers: Set(events.compactMap(\.customerID)),
                        subscriptions: Set(events.compactMap(\.subscriptionID))), users: [])
            }
            let byID = Dictionary(zip(insertions.map(\.eventID), events)) { first, _ in first }
            for stored in stored {
                let event = try #require(byID[stored.id])
                #expect(stored.event.digest == event.digest)
                #expect(stored.event.name == event.name)
                #expect(stored.event.claimedUserID == event.claimedUserID)
                #expect(stored.event.email == event.email)
                let fact: BillingEvent.Fact =
                    event.snapshot.map(BillingEvent.Fact.snapshot) ?? event.invoice.map(BillingEvent.Fact.invoice)
                    ?? event.order.map(BillingEvent.Fact.order) ?? .none
                #expect(stored.event.fact == fact)
            }
            let expected = Set(
                zip(insertions, events).filter { $1.concernsAccounts || $1.kind == .undecodable }
                    .filter { $1.kind == .order || $1.subscriptionID != nil }.map(\.0.eventID))
            #expect(Set(stored.map(\.id)) == expected)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `events are listed by filter and page, newest first`(kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            let bodies = try Fixtures.scenario("first-purchase").map(\.body)
            let other = ProviderSubscription.purchase(of: bob, id: "920002")
            var waiting = other
            waiting.customerID = "515002"
            let receipts = try await store.receive(bodies + [waiting.event("subscription_created")])
            clock.advance(by: 1)
            let late = try await store.receive([[1, 2, 3]])
            let newestFirst = [late[0].eventID] + receipts.reversed().map(\.eventID)
            let list = { (filter: EventFilter) in
                try await store.primary.eventRecords(filter, limit: 100, before: nil).map(\.id)
            }
            #expect(try await list(EventFilter()) == newestFirst)
            var filter = EventFilter()
            filter.outcome = .rejected
            #expect(try await list(filter) == [late[0].eventID])
            filter = EventFilter()
            filter.reason = "unknown_account"
            #expect(try await list(filter) == [receipts[4].eventID])
            filter = EventFilter()
            filter.name = "subscription_created"
            #expect(try await list(filter) == [receipts[4].eventID, receipts[1].eventID])
            filter.subscriptionID = "910001"
            #expect(try await list(filter) == [receipts[1].eventID])
            filter = EventFilter()
            filter.userID = ada
            #expect(try await Set(list(filter)) == Set(receipts[0...3].map(\.eventID)))

            var paged: [UUID] = []
            var cursor: Cursor?
            while let page = Optional(try await store.primary.eventRecords(EventFilter(), limit: 2, before: cursor)),
                let last = page.last
            {
                paged += page.map(\.id)
                cursor = Cursor(at: last.receivedAt, id: last.id)
            }
            #expect(paged == newestFirst)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a failed event is tried again, later each time`(kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withStore(clock: clock) { store in
            var event = InboxEvent(try Fixtures.event("subscription_created"))
            (event.outcome, event.reason) = (.failed, "bug")
            let failed = event
            let minutes = [1, 2, 4, 8, 16, 32, 60, 60]
            for (attempt, wait) in minutes.enumerated() {
                let id = try await store.transaction { try await $0.insert([failed]) }[0].eventID
                let record = try #require(try await store.eventRecord(id))
                #expect((record.attempts, record.deliveries) == (attempt + 1, attempt + 1))
                #expect(record.nextAttemptAt == clock.now + Double(wait * 60))
                clock.advance(by: 10)
            }
            let next = { (at: Date) in
                try await store.transaction { try await $0.retryable(at: at, limit: 10) }
            }
            #expect(try await next(clock.now).isEmpty)
            let due = try await next(clock.now + 3600)
            #expect(due.count == 1)

            try await store.transaction {
                try await $0.save([EventDecision(eventID: due[0], outcome: .applied, reason: nil, userID: nil)])
            }
            let record = try #require(try await store.eventRecord(due[0]))
            #expect((record.outcome, record.reason, record.nextAttemptAt) == (.applied, nil, nil))
            #expect(try await next(clock.now + 7200).isEmpty)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a duplicate of an event that had failed is decided`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            let body = ProviderSubscription.purchase().event0
            var event = InboxEvent(body)
            (event.outcome, event.reason) = (.failed, "bug")
            let failed = event
            _ = try await store.transaction { try await $0.insert([failed]) }
            let receipt = try await store.receive([body])[0]
            #expect((receipt.outcome, receipt.isDuplicate) == (.applied, true))
            #expect(try await store.user(id: ada)?.subscriptionTier == "starter")
        }
    }
}

extension ProviderSubscription {
    /// The first event of a purchase.
    var event0: [UInt8] {
        var copy = self
        return copy.event("subscription_created")
    }
}
