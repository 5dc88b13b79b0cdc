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

/// R20: what is left of an account that was deleted.
@Suite struct DeletionTests {
    private let policy = BillingPolicy()

    /// Ada's purchase, another account of the same customer, and what the provider tells of the customer.
    private func prepare(_ store: Store) async throws -> [[UInt8]] {
        try await store.prepare()
        _ = try await store.createUser(email: "bob@example.com", id: bob)
        var subscription = ProviderSubscription.purchase()
        var bobs = ProviderSubscription.purchase(of: bob, id: "910009")
        (bobs.customerID, bobs.orderID, bobs.email) = ("515009", "616009", "bob@example.com")
        let customer = #"""
            {"meta":{"event_name":"customer_updated","test_mode":true},"data":{"type":"customers","id":"515001",\#
            "attributes":{"name":"Ada Example","email":"ada@example.com","store_id":4242}}}
            """#
        let bodies = [
            subscription.order(), subscription.event("subscription_created"),
            ProviderSubscription.purchase(of: nil).invoice(
                id: 1, reason: "initial", createdAt: .utc("2026-10-12 09:30:05")),
            Array(customer.utf8), bobs.event("subscription_created"),
        ]
        try await store.receive(bodies)
        return bodies
    }

    @Test(
        "Erasing takes what is personal from an account's events, at once or after the account was deleted",
        arguments: DatabaseKind.allCases, [false, true])
    func erase(_ kind: DatabaseKind, later: Bool) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                let bodies = try await prepare(store)
                let bobs = try await store.picture(of: bob)
                if later { try await store.deleteAccount(ada, policy: policy) }
                #expect(try await store.deleteAccount(ada, erase: true, policy: policy) == 4)
                #expect(try await store.user(id: ada) == nil)
                let records = try await store.primary.eventRecords(EventFilter(), limit: 99, before: nil)
                for record in records where record.claimedUserID != bob {
                    #expect(record.erasedAt != nil && record.size == 0 && record.email == nil)
                    #expect(try await store.eventBody(record.id) == [])
                }
                let facts = records.filter { $0.erasedAt != nil && $0.subscriptionID == "910001" }
                #expect(facts.count == 2 && facts.allSatisfy { $0.outcome == .parked && $0.sourceUpdatedAt != nil })
                // Another account is what it was, and duplicates are duplicates.
                #expect(try await store.picture(of: bob) == bobs)
                #expect(try await store.receive(bodies).allSatisfy(\.isDuplicate))
                let check = try await Rebuild(store, policy: policy).run(check: true)
                #expect(check.problems.isEmpty, "\(check.problems)")
                // Facts stay: an account of that id has what it had.
                _ = try await store.createAccount(NewUser(id: ada, email: "new@example.com"), policy: policy)
                #expect(try await store.picture(of: ada).tier == "starter")
                let nobody = UUID()
                let error = await storeError { try await store.deleteAccount(nobody, erase: true, policy: policy) }
                #expect(error == .notFound("account “\(nobody.lowercased)”"))
            }
        }
    }

    @Test("Nothing is erased that belongs to another account by now", arguments: DatabaseKind.allCases)
    func movedSubscription(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            _ = try await prepare(store)
            try await store.bind(subscription: "910001", to: bob, reason: nil, policy: policy)
            _ = try await store.deleteAccount(ada, erase: true, policy: policy)
            let records = try await store.primary.eventRecords(EventFilter(), limit: 99, before: nil)
            #expect(records.filter { $0.subscriptionID == "910001" }.allSatisfy { $0.erasedAt == nil })
            #expect(try await store.picture(of: bob).subscriptions.count == 2)
        }
    }

    @Test("What was used of a subscription that has moved stays used, whoever had it", arguments: DatabaseKind.allCases)
    func movedCharges(_ kind: DatabaseKind) async throws {
        for byAnother in [false, true] {
            try await kind.withDatabase { database in
                try await database.withStore(clock: TestClock(afterPurchase)) { store in
                    _ = try await prepare(store)
                    func use(_ units: Int, of user: UUID) async throws {
                        try await store.consumeComputeUnits(units, for: UUID(), of: user, policy: policy)
                    }
                    try await use(900, of: ada)
                    try await store.bind(subscription: "910001", to: bob, reason: nil, policy: policy)
                    let left = try await store.picture(of: bob)
                    if byAnother {
                        try await database.execute("delete from users where email = 'ada@example.com'")
                    } else {
                        _ = try await store.deleteAccount(ada, policy: policy)
                    }
                    let check = try await Rebuild(store, policy: policy).run(check: true)
                    #expect(check.problems.isEmpty, "\(check.problems)")
                    #expect(try await store.picture(of: bob) == left)
                    let charges = "select sum(consumed) || '' from compute_unit_charges where line = '910001'"
                    #expect(try await database.values(charges) == ["900"])
                }
            }
        }
    }

    @Test(
        "What waits because its customer has two accounts is the other's when another program deletes one",
        arguments: DatabaseKind.allCases)
    func customerOfTwo(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            // The database's own clock tells since when an account is due.
            try await database.withStore(clock: TestClock(.now + 86_400)) { store in
                try await store.prepare()
                _ = try await store.createUser(email: "bob@example.com", id: bob)
                for (id, user) in [("910001", ada), ("910002", bob), ("910003", nil)] {
                    var subscription = ProviderSubscription.purchase(of: user, id: id)
                    subscription.orderID = "61" + id
                    try await store.receive([subscription.event("subscription_created")])
                }
                _ = try await Tick(store, policy: policy).run()
                #expect(try await store.picture(of: bob).subscriptions.count == 1)
                try await database.execute("delete from users where email = 'ada@example.com'")
                _ = try await Tick(store, policy: policy).run(onlyDue: true)
                #expect(try await store.picture(of: bob).subscriptions.count == 3)
                let check = try await Rebuild(store, policy: policy).run(check: true)
                #expect(check.problems.isEmpty, "\(check.problems)")
            }
        }
    }

    @Test("A quarantined event that was erased stays so when it is sent again", arguments: DatabaseKind.allCases)
    func resentAfterErasing(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            let wrong = BillingPolicy(acceptance: Acceptance(storeID: "77"))
            try await store.adopt(wrong, host: "wrong")
            let body = ProviderSubscription.purchase().event0
            let receipt = try await store.receive([body], policy: wrong)[0]
            #expect(receipt.outcome == .quarantined)
            #expect(try await store.deleteAccount(ada, erase: true, policy: wrong) == 1)
            try await store.adopt(policy, host: "right")
            try await store.receive([body], policy: policy)
            let record = try #require(try await store.eventRecord(receipt.eventID))
            #expect(record.deliveries == 2 && record.email == nil && record.erasedAt != nil)
        }
    }

    @Test("What tells of a customer who has another account, too, stays", arguments: DatabaseKind.allCases)
    func sharedCustomer(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            _ = try await prepare(store)
            // Bob buys as the same customer.
            var shared = ProviderSubscription.purchase(of: bob, id: "910010")
            shared.orderID = "616010"
            try await store.receive([shared.event("subscription_created")])
            #expect(try await store.deleteAccount(ada, erase: true, policy: policy) == 3)
            var filter = EventFilter()
            filter.name = "customer_updated"
            #expect(try await store.primary.eventRecords(filter, limit: 9, before: nil).map(\.erasedAt) == [nil])
        }
    }
}
