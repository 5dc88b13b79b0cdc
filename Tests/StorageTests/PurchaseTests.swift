import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct PurchaseTests {
    @Test(arguments: DatabaseKind.allCases)
    func `a purchase in any order, every delivery doubled, is one subscription`(kind: DatabaseKind) async throws {
        let bodies = try Fixtures.scenario("first-purchase").map(\.body)
        var pictures: Set<AccountPicture> = []
        for order in bodies.permutations {
            try await kind.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                for body in order {
                    let receipts = try await store.receive([body]) + store.receive([body])
                    #expect(receipts.map(\.isDuplicate) == [false, true])
                    #expect(receipts[0].eventID == receipts[1].eventID)
                }
                let picture = try await store.picture(of: ada)
                #expect(picture.tier == "starter")
                #expect(picture.units == 1000)
                #expect(picture.subscriptions.count == 1)
                #expect(
                    try await store.primary.eventRecords(EventFilter(), limit: 100, before: nil).map(\.deliveries) == [
                        2, 2, 2, 2,
                    ])
                var parked = EventFilter()
                parked.outcome = .parked
                #expect(try await store.primary.eventRecords(parked, limit: 100, before: nil).isEmpty)
                let ledger = try await store.ledger(user: ada)
                #expect(ledger.reduce(0) { $0 + $1.entry.units } == 1000)
                #expect(ledger.last?.entry.balance == 1000)
                pictures.insert(picture)
            }
        }
        #expect(pictures.count == 1)
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a batch is the same as one by one`(kind: DatabaseKind) async throws {
        let bodies = try Fixtures.scenario("first-purchase").map(\.body)
        let oneByOne = try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            for body in bodies { try await store.receive([body]) }
            return try await store.picture(of: ada)
        }
        let batch = try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            try await store.receive(bodies + bodies)
            return try await store.picture(of: ada)
        }
        #expect(batch == oneByOne)
    }

    @Test(arguments: Fixtures.scenarioNames)
    func `both databases end a scenario with the same account`(name: String) async throws {
        let bodies = try Fixtures.scenario(name).map(\.body)
        var pictures: [AccountPicture] = []
        for kind in DatabaseKind.allCases {
            pictures += try await kind.withStore(clock: TestClock(.utc("2027-03-01 00:00:00"))) { store in
                let user = try await store.prepare(for: bodies)
                for body in bodies.reversed() { try await store.receive([body]) }
                return [try await store.picture(of: user)]
            }
        }
        #expect(pictures[0] == pictures[1])
        #expect(pictures[0].subscriptions.isEmpty == Fixtures.withoutPlan.contains(name))
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a subscription reads back as its row says`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
            let row = try #require(try await store.subscription("910001"))
            #expect((row.userID, row.planID, row.status) == (ada, "starter", "active"))
            #expect((row.lemonSqueezyCustomerID, row.lemonSqueezyVariantID) == ("515001", "101"))
            #expect(row.currentPeriodEnd == .utc("2026-11-12 09:30:01"))
            #expect(!row.cancelAtPeriodEnd)
            #expect(try await store.primary.subscriptions(user: ada, limit: 10, before: nil).rows == [row])
            #expect(try await store.primary.subscriptions(user: nil, limit: 10, before: nil).rows == [row])
            #expect(try await store.primary.subscriptions(user: bob, limit: 10, before: nil) == [])
            let behind = Cursor(at: row.createdAt, id: row.id)
            #expect(try await store.primary.subscriptions(user: nil, limit: 10, before: behind) == [])
            #expect(try await store.subscription("1") == nil)
        }
    }
}
