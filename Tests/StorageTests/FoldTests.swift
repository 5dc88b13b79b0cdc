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

/// What a fold finds and leaves in both databases: how far it looks, and what it saves.
@Suite struct FoldTests {
    private let policy = BillingPolicy()

    /// The same without the customer: then only its subscription leads to others.
    private func silent(_ body: [UInt8]) -> [UInt8] {
        let text = String(decoding: body, as: UTF8.self)
        return Array(text.replacing(#""customer_id":515001"#, with: #""customer_id":null"#).utf8)
    }

    private func records(_ store: Store) async throws -> [EventRecord] {
        try await store.primary.eventRecords(EventFilter(), limit: 100, before: nil).reversed()
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an event that names no customer leads to its customer's other subscriptions`(
        kind: DatabaseKind
    ) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            var claimed = ProviderSubscription.purchase()
            var other = ProviderSubscription.purchase(of: nil, id: "920002")
            try await store.receive([claimed.event("subscription_created")])
            #expect(try await store.receive([other.event("subscription_created")]).map(\.userID) == [ada])
            let invoice = other.invoice(id: 7, reason: "initial", createdAt: other.createdAt)
            let decision = try await store.receive([silent(invoice)])[0]
            #expect(decision.userID == ada)
            #expect(decision.outcome != .parked)
            #expect(try await store.picture(of: ada).subscriptions.count == 2)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what the database's settings accept is folded whole, whatever the program's own say`(
        kind: DatabaseKind
    ) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            try await store.adopt(BillingPolicy(), host: "here")
            let own = BillingPolicy(acceptance: Acceptance(mode: .live))
            var subscription = ProviderSubscription.purchase()
            try await store.receive([subscription.event("subscription_created")], policy: own)
            subscription.userID = nil
            let invoice = subscription.invoice(id: 7, reason: "initial", createdAt: subscription.createdAt)
            let decision = try await store.receive([silent(invoice)], policy: own)[0]
            #expect(decision.userID == ada)
            #expect(![.parked, .quarantined].contains(decision.outcome))
            #expect(try await store.picture(of: ada).tier == "starter")
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what the database's settings do not accept is put aside, whatever the program's own say`(
        kind: DatabaseKind
    ) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            try await store.adopt(BillingPolicy(acceptance: Acceptance(mode: .live)), host: "here")
            let body = ProviderSubscription.purchase().event0
            #expect(try await store.receive([body]).map(\.outcome) == [.quarantined])
            #expect(try await store.picture(of: ada).tier == "free")
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an event is written once, with what became of it`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let log = StatementLog()
            let clock = TestClock(afterPurchase)
            let store = try database.open(clock: clock) { $0.observe = { sql, _, _ in log.note(sql) } }
            try await store.prepare()
            let decision = try await store.receive([ProviderSubscription.purchase().event0])[0]
            #expect(log.count { $0.contains("insert into webhook_events") } == 1)
            #expect(log.count { $0.contains("update webhook_events") } == 0)
            let record = try #require(try await store.eventRecord(decision.eventID))
            #expect((record.outcome, record.reason, record.userID) == (.applied, nil, ada))
            await store.close()
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what waited is saved as released by the event that it waited for`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            let subscription = ProviderSubscription.purchase()
            let invoice = subscription.invoice(id: 7, reason: "initial", createdAt: subscription.createdAt)
            #expect(try await store.receive([invoice]).map(\.reason) == ["unknown_subscription"])
            try await store.receive([subscription.event0])
            #expect(try await records(store).map(\.outcome) == [.applied, .applied])
            #expect(try await records(store).map(\.userID) == [ada, ada])
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an event that could not be folded is tried a minute later, unless it is put aside anyway`(
        kind: DatabaseKind
    ) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            let events = [InboxEvent(ProviderSubscription.purchase().event0), InboxEvent([1, 2, 3])]
            let live = BillingPolicy(acceptance: Acceptance(mode: .live))
            for (event, policy, outcome) in [
                (events[0], live, Outcome.quarantined), (events[1], policy, .rejected),
            ] {
                let decision = try await store.transaction {
                    try await Fold($0, policy: policy).setAside(event, reason: "bug")
                }
                #expect(decision?.outcome == outcome)
                #expect(decision?.reason != "bug")
            }
            var later = ProviderSubscription.purchase(id: "920002")
            later.customerID = "515002"
            let failing = InboxEvent(later.event("subscription_created"))
            let failed = try await store.transaction {
                try await Fold($0, policy: policy).setAside(failing, reason: "bug")
            }
            #expect((failed?.outcome, failed?.reason) == (.failed, "bug"))
            let id = try #require(failed?.eventID)
            let record = try #require(try await store.eventRecord(id))
            #expect((record.attempts, record.nextAttemptAt) == (1, afterPurchase + 60))
            clock.advance(by: 60)
            #expect(try await Tick(store, policy: policy).run().retried == 1)
            #expect(try await store.eventRecord(id)?.outcome == .applied)
            #expect(try await store.eventRecord(id)?.nextAttemptAt == nil)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a delivery that another transaction stores meanwhile is its duplicate`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let clock = TestClock(afterPurchase)
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                // Nothing is locked of an event that concerns no account.
                let shared = try Fixtures.event("customer_updated")
                var other = ProviderSubscription.purchase(id: "920002")
                (other.customerID, other.orderID) = ("515002", "626002")
                let first = InboxEvent(ProviderSubscription.purchase().event0)
                let second = [other.event0, shared]
                let (started, decisions) = try await store.transaction { transaction in
                    let decisions = try await Fold(transaction, policy: policy).receive([InboxEvent(shared), first])
                    let started = Task { try await store.receive(second) }
                    try await waitForCollision(database)
                    return (started, decisions)
                }
                let late = try await started.value
                #expect(late.map(\.isDuplicate) == [false, true])
                #expect(late[1].eventID == decisions[0].eventID)
                #expect(try await store.eventRecord(decisions[0].eventID)?.deliveries == 2)
            }
        }
    }

    /// Until a transaction waits for another; SQLite lets no second one begin.
    private func waitForCollision(_ database: TestDatabase) async throws {
        let waiting = """
            select pid::text from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'
            """
        for _ in 0..<200 where database.kind == .postgreSQL {
            if try await !database.values(waiting).isEmpty { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        if database.kind == .postgreSQL { Issue.record("no transaction waits for another") }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what another program took and what a task takes at once both stay charged`(kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                try await store.receive([ProviderSubscription.purchase().event0])
                for _ in 0..<2 {
                    try await database.execute(
                        "update users set compute_units_remaining = compute_units_remaining - 100")
                    let request = UnitRequest(userID: ada, kind: .consume(task: UUID(), inFull: true), units: 50)
                    _ = try await store.transaction { try await Fold($0, policy: policy).grant(request) }
                }
                #expect(try await store.picture(of: ada).units == 700)
                let bucket = try await store.buckets(user: ada).first { $0.line == .subscription("910001") }
                #expect((bucket?.consumed, bucket?.adjusted) == (100, -200))
                #expect(try await Rebuild(store, policy: policy).run(check: true).problems.isEmpty)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what another program took is used when a refund takes the rest`(kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                let take = BillingPolicy(refundUnits: .take)
                let subscription = ProviderSubscription.purchase()
                try await store.receive([subscription.event0], policy: take)
                try await database.execute("update users set compute_units_remaining = 700")
                try await store.transaction { _ = try await Fold($0, policy: take).refresh(users: [ada]) }
                clock.advance(by: 60)
                let refund = subscription.order(
                    "order_refunded", status: "refunded", updatedAt: clock.now, refundedAt: clock.now)
                #expect(try await store.receive([refund], policy: take).map(\.outcome) == [.applied])
                let bucket = try await store.buckets(user: ada).first { $0.line == .subscription("910001") }
                #expect((bucket?.granted, bucket?.adjusted) == (300, -300))
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what another account charged of a subscription counts also when it is not the event's`(
        kind: DatabaseKind
    ) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            // Nothing but its binding says whose it is.
            var bound = ProviderSubscription.purchase(of: nil)
            try await store.receive([bound.event("subscription_created")])
            try await store.bind(subscription: "910001", to: ada, reason: nil, policy: policy)
            let request = UnitRequest(userID: ada, kind: .consume(task: UUID(), inFull: true), units: 300)
            _ = try await store.transaction { try await Fold($0, policy: policy).grant(request) }
            clock.advance(by: 1)
            try await store.bind(subscription: "910001", to: bob, reason: nil, policy: policy)
            #expect(try await store.picture(of: bob).units == 700)
            // Another customer's, so that the first is not the event's.
            var other = ProviderSubscription.purchase(of: bob, id: "920002")
            (other.customerID, other.orderID) = ("515002", "626002")
            try await store.receive([other.event("subscription_created")])
            let bucket = try await store.buckets(user: bob).first { $0.line == .subscription("910001") }
            #expect(bucket?.consumed == 300)
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems.isEmpty)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `the row of a subscription that becomes nobody's goes, wherever another program put it`(
        kind: DatabaseKind
    ) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                _ = try await store.createUser(email: "bob@example.com", id: bob)
                let carol = try await store.createUser(email: "carol@example.com", id: nil).id
                var (claimed, other) = (ProviderSubscription.purchase(), ProviderSubscription.purchase(of: nil))
                other.id = "920002"
                try await store.receive([claimed.event("subscription_created"), other.event("subscription_created")])
                try await database.execute(
                    """
                    update user_subscriptions set user_id = '\(carol.lowercased)'
                    where lemon_squeezy_subscription_id = '920002'
                    """)
                var bobs = ProviderSubscription.purchase(of: bob, id: "930003")
                let decision = try await store.receive([bobs.event("subscription_created")])[0]
                #expect(decision.userID == bob)
                #expect(try await store.subscription("920002") == nil)
                #expect(try await store.subscription("910001")?.userID == ada)
                #expect(try await store.subscription("930003")?.userID == bob)
            }
        }
    }
}
