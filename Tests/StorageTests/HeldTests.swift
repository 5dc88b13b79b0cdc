import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Postgres
import Selextract
import Storage
import TestSupport
import Testing

/// What another transaction holds is left out and comes later; everything else goes on. On PostgreSQL: SQLite has one
/// writer.
@Suite(.timeLimit(.minutes(15))) struct HeldTests {
    private let policy = BillingPolicy()
    private let clock = TestClock(afterPurchase)

    /// Ada's and Bob's purchases, each of a customer of its own.
    private static let purchases = [(ada, "71"), (bob, "72")].map { user, id in
        var subscription = ProviderSubscription.purchase(of: user, id: id)
        (subscription.customerID, subscription.orderID) = ("9\(id)", "8\(id)")
        return subscription
    }

    private func withStore(_ body: (Store, TestDatabase) async throws -> Void) async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                _ = try await store.createUser(email: "bob@example.com", id: bob)
                try await body(store, database)
            }
        }
    }

    /// Runs `body` while another program's transaction has done `statement`.
    private func whileHeld<Result>(
        _ statement: String, _ database: TestDatabase, _ body: () async throws -> Result
    ) async throws -> Result {
        let other = try await PostgresConnection.connect(url: database.url)
        try await other.executeScript("begin; \(statement)")
        do {
            let result = try await body()
            try await other.executeScript("rollback")
            await other.close()
            return result
        } catch {
            await other.close()
            throw error
        }
    }

    private func receive(_ bodies: [[UInt8]], _ store: Store) async throws -> [EventDecision?] {
        try await store.transaction { transaction in
            try await Fold(transaction, policy: policy).receiveUnlessHeld(bodies.map { InboxEvent($0) })
        }
    }

    private static let holds = [
        "select 1 from users where id = '\(ada)' for update",
        "update users set full_name = 'Ada' where id = '\(ada)'",
        "select 1 from user_subscriptions where user_id = '\(ada)' for update",
        "update user_subscriptions set status = 'expired' where user_id = '\(ada)'",
        "select pg_advisory_xact_lock(hashtextextended('subscription:71', 0))",
        "select pg_advisory_xact_lock(hashtextextended('customer:971', 0))",
    ]

    @Test("One account that is held waits for itself: the others of its batch are decided", arguments: holds)
    func batch(_ hold: String) async throws {
        try await withStore { store, database in
            let first = Self.purchases.map(\.event0)
            #expect(try await receive(first, store).allSatisfy { $0?.outcome == .applied })
            let changes = Self.purchases.map { purchase in
                var purchase = purchase
                purchase.variantID = "102"
                return purchase.event("subscription_updated", at: afterPurchase)
            }
            try await whileHeld(hold, database) {
                let decisions = try await receive(changes, store)
                #expect(decisions.map { $0?.outcome } == [nil, .applied])
                #expect(try await store.user(id: bob)?.subscriptionTier == "professional")
                #expect(try await database.values("select count(*)::text from webhook_events") == ["3"])
            }
            #expect(try await receive(changes, store).map { $0?.outcome } == [.applied, .applied])
            #expect(try await store.user(id: ada)?.subscriptionTier == "professional")
        }
    }

    @Test("An account of which another program holds the row of a granted plan is left out")
    func granted() async throws {
        try await withStore { store, database in
            try await store.grant("professional", to: ada, until: nil, reason: "beta", policy: policy)
            let purchases = Self.purchases.map(\.event0)
            let decisions = try await whileHeld(
                "select 1 from user_subscriptions where user_id = '\(ada)' for update", database
            ) {
                try await receive(purchases, store)
            }
            #expect(decisions.map { $0?.outcome } == [nil, .applied])
            #expect(try await receive(purchases, store).map { $0?.outcome } == [.applied, .applied])
        }
    }

    @Test("What belongs to the same customer as a held account is left out with it")
    func customer() async throws {
        try await withStore { store, database in
            // Carol is told by the customer alone, whom Ada's subscription makes hers.
            var second = ProviderSubscription.purchase(of: ada, id: "73")
            second.userID = nil
            second.customerID = Self.purchases[0].customerID
            let bodies = [Self.purchases[0].event0, second.event0, Self.purchases[1].event0]
            let decisions = try await whileHeld("select 1 from users where id = '\(ada)' for update", database) {
                try await receive(bodies, store)
            }
            #expect(decisions.map { $0?.outcome } == [nil, nil, .applied])
            #expect(try await receive(bodies, store).map { $0?.userID } == [ada, ada, bob])
        }
    }

    @Test("What is set aside because it is held is tried again within seconds, and by then is as if it had come then")
    func setAside() async throws {
        try await withStore { store, database in
            let event = InboxEvent(Self.purchases[0].event0)
            try await whileHeld("select 1 from users where id = '\(ada)' for update", database) {
                let decision = try await store.transaction {
                    try await Fold($0, policy: policy).setAside(event, reason: RetryDelay.heldReason)
                }
                #expect(decision?.outcome == .failed)
                clock.advance(by: 6)
                // Still held: it stays due.
                #expect(try await Tick(store, policy: policy).run(onlyDue: true).failures == 0)
                #expect(
                    try await store.primary.eventRecords(EventFilter(), limit: 2, before: nil)[0].outcome == .failed)
            }
            _ = try await Tick(store, policy: policy).run(onlyDue: true)
            #expect(try await store.primary.eventRecords(EventFilter(), limit: 2, before: nil)[0].outcome == .applied)
            #expect(try await store.user(id: ada)?.subscriptionTier == "starter")
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems.isEmpty)
        }
    }

    @Test("What was quarantined, is sent again, and is held then, is tried again within minutes")
    func quarantinedAndHeld() async throws {
        let wrong = BillingPolicy(acceptance: Acceptance(storeID: "77"))
        try await withStore { store, database in
            try await store.adopt(wrong, host: "wrong")
            let body = Self.purchases[0].event0
            let receipt = try await store.receive([body], policy: wrong)[0]
            #expect(receipt.outcome == .quarantined)
            try await store.adopt(policy, host: "right")
            let decision = try await store.transaction {
                try await Fold($0, policy: policy).setAside(InboxEvent(body), reason: RetryDelay.heldReason)
            }
            #expect(decision?.isDuplicate == true)
            #expect(try await store.eventRecord(receipt.eventID)?.outcome == .failed)
            clock.advance(by: 61)
            _ = try await Tick(store, policy: policy).run(onlyDue: true)
            #expect(try await store.eventRecord(receipt.eventID)?.outcome == .applied)
            #expect(try await store.user(id: ada)?.subscriptionTier == "starter")
        }
    }

    @Test("The clock leaves out an account that is held, and brings the others up to date")
    func tick() async throws {
        try await withStore { store, database in
            _ = try await receive(Self.purchases.map(\.event0), store)
            clock.advance(by: 40 * 86_400)
            try await whileHeld("select 1 from users where id = '\(ada)' for update", database) {
                _ = try await Tick(store, policy: policy).run()
                let rows = try await database.values(
                    "select email from users where billing_due_at <= '\(clock.now.formatted(.iso8601))' order by 1")
                #expect(rows == ["ada@example.com"])
            }
            _ = try await Tick(store, policy: policy).run()
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems.isEmpty)
        }
    }

    @Test("What the clock accepts while its account is held is accepted later, and then counts")
    func accepted() async throws {
        let wrong = BillingPolicy(acceptance: Acceptance(storeID: "77"))
        try await withStore { store, database in
            try await store.adopt(wrong, host: "wrong")
            let receipt = try await store.receive([Self.purchases[0].event0], policy: wrong)[0]
            #expect(receipt.outcome == .quarantined)
            try await store.adopt(policy, host: "right")
            let impatient = try database.open(clock: clock) { $0.lockTimeout = .milliseconds(50) }
            try await whileHeld("select 1 from users where id = '\(ada)' for update", database) {
                _ = try await Tick(impatient, policy: policy).run()
            }
            await impatient.close()
            #expect(try await store.eventRecord(receipt.eventID)?.outcome == .quarantined)
            _ = try await Tick(store, policy: policy).run()
            #expect(try await store.user(id: ada)?.subscriptionTier == "starter")
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems.isEmpty)
        }
    }
}
