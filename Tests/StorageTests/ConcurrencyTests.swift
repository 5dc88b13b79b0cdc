import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// How two stores reach the same database, as two processes do.
enum Reach: CaseIterable, Sendable {
    case postgreSQL, pgBouncer, sqlite

    var kind: DatabaseKind { self == .sqlite ? .sqlite : .postgreSQL }

    func withStores<Result>(
        clock: TestClock, _ body: (Store, Store) async throws -> Result
    ) async throws -> Result {
        try await kind.withDatabase { database in
            let url = self == .pgBouncer ? try database.pooledURL : nil
            return try await database.withStore(clock: clock, url: url) { one in
                try await database.withStore(clock: clock, url: url) { two in try await body(one, two) }
            }
        }
    }
}

extension Store {
    /// As the provider does: a delivery that could not be stored, since a lock was not to be had in time, comes again.
    fileprivate func receiveAgain(_ bodies: [[UInt8]]) async throws -> [EventDecision] {
        for _ in 0..<9 {
            do {
                return try await receive(bodies)
            } catch StoreError.busy {
                continue
            }
        }
        return try await receive(bodies)
    }
}

@Suite struct ConcurrencyTests {
    @Test(arguments: Reach.allCases)
    func `the same delivery fifty times in parallel is one event`(reach: Reach) async throws {
        try await reach.withStores(clock: TestClock(afterPurchase)) { one, two in
            try await one.prepare()
            let body = ProviderSubscription.purchase().event0
            let receipts = try await withThrowingTaskGroup(of: [EventDecision].self) { group in
                for number in 0..<50 {
                    let store = number.isMultiple(of: 2) ? one : two
                    group.addTask { try await store.receiveAgain([body]) }
                }
                return try await group.reduce([]) { $0 + $1 }
            }
            #expect(receipts.filter { !$0.isDuplicate }.count == 1)
            #expect(Set(receipts.map(\.eventID)).count == 1)
            #expect(receipts.allSatisfy { $0.outcome == .applied })
            let records = try await one.primary.eventRecords(EventFilter(), limit: 10, before: nil)
            #expect(records.map(\.deliveries) == [50])
            #expect(try await two.picture(of: ada).tier == "starter")
        }
    }

    /// A year of renewals and plan changes of one subscription.
    private static func history() -> [[UInt8]] {
        var subscription = ProviderSubscription.purchase()
        var bodies = [subscription.event("subscription_created")]
        for month in 0..<12 {
            let at = Date.utc("2026-10-12 09:30:04") + Double(month) * 30 * 86_400
            subscription.renewsAt = at + 31 * 86_400
            bodies.append(subscription.invoice(id: 7000 + month, reason: "renewal", createdAt: at))
            bodies.append(subscription.event("subscription_updated", at: at + 1))
            subscription.variantID = month.isMultiple(of: 3) ? "102" : "101"
            bodies.append(subscription.event("subscription_plan_changed", at: at + 2 * 86_400))
            bodies.append(subscription.event("subscription_updated", at: at + 2 * 86_400, delivery: 1))
        }
        return bodies
    }

    @Test(arguments: Reach.allCases)
    func `two stores in parallel leave the rows that one leaves in order`(reach: Reach) async throws {
        let clock = TestClock(.utc("2027-09-30 00:00:00"))
        let bodies = Self.history()
        let inOrder = try await reach.withStores(clock: clock) { one, _ in
            try await one.prepare()
            for body in bodies { try await one.receive([body]) }
            return try await one.picture(of: ada)
        }
        let parallel = try await reach.withStores(clock: clock) { one, two in
            try await one.prepare()
            var random = SplitMix(seed: 7)
            let shuffled = bodies.shuffled(using: &random)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, body) in shuffled.enumerated() {
                    let store = number.isMultiple(of: 2) ? one : two
                    group.addTask { _ = try await store.receiveAgain([body]) }
                    if number.isMultiple(of: 5) { group.addTask { _ = try await two.receiveAgain([body]) } }
                }
                try await group.waitForAll()
            }
            let ledger = try await two.ledger(user: ada).map(\.entry)
            let picture = try await two.picture(of: ada)
            #expect(ledger.reduce(0) { $0 + $1.units } == picture.units)
            return picture
        }
        #expect(parallel == inOrder)
        #expect(inOrder.subscriptions.count == 1)
    }

    @Test(arguments: Reach.allCases)
    func `batches that name the same customers in opposite orders both end`(reach: Reach) async throws {
        try await reach.withStores(clock: TestClock(afterPurchase)) { one, two in
            try await one.prepare()
            _ = try await one.createUser(email: "bob@example.com", id: bob)
            let bodies = (0..<10).map { number in
                var subscription = ProviderSubscription.purchase(
                    of: number.isMultiple(of: 2) ? ada : bob, id: "\(number)")
                subscription.customerID = "51500\(number)"
                return subscription.event("subscription_created")
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 {
                    group.addTask { _ = try await one.receiveAgain(bodies) }
                    group.addTask { _ = try await two.receiveAgain(bodies.reversed()) }
                }
                try await group.waitForAll()
            }
            #expect(
                try await one.primary.eventRecords(EventFilter(), limit: 20, before: nil).map(\.deliveries)
                    == Array(repeating: 10, count: 10))
            for user in [ada, bob] {
                let picture = try await one.picture(of: user)
                #expect(picture.subscriptions.count == 5)
                #expect(picture.tier == "starter")
            }
        }
    }

    @Test(arguments: Reach.allCases)
    func `every part of the store works`(reach: Reach) async throws {
        try await reach.withStores(clock: TestClock(afterPurchase)) { one, two in
            try await one.mapPlans()
            try await one.check()
            for scenario in ["first-purchase", "renewal", "cancel"] {
                let bodies = try Fixtures.scenario(scenario).map(\.body)
                try await one.createUser(namedBy: bodies)
                try await two.receive(bodies)
            }
            #expect(try await one.primary.subscriptions(user: nil, limit: 10, before: nil).count == 3)
            #expect(try await one.entitlement(user: ada)?.planID == "starter")
            #expect(try await one.primary.users(limit: 10, before: nil).count == 3)
            #expect(try await one.primary.subscriptions(user: ada, limit: 10, before: nil).count == 1)
            #expect(try await !one.ledger(user: ada).isEmpty)
            #expect(try await one.pendingMigrations() == [])
        }
    }
}
