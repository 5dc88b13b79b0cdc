import Accounts
import Billing
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct ParkingTests {
    @Test(arguments: DatabaseKind.allCases)
    func `a purchase waits for its account, and is released by it`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.mapPlans()
            let bodies = try Fixtures.scenario("first-purchase").map(\.body)
            let receipts = try await store.receive(bodies)
            #expect(receipts.map(\.outcome) == [.ignored, .parked, .parked, .parked])
            #expect(receipts.map(\.reason) == [nil, "unknown_account", "unknown_account", "unknown_account"])
            let releasable = {
                try await store.transaction { try await $0.releasable(limit: 10, matchByEmail: false, except: []) }
            }
            #expect(try await releasable() == [])

            _ = try await store.createUser(email: "ada@example.com", id: ada)
            #expect(try await releasable() == ["910001"])
            let relations = try await store.transaction { try await $0.relations(of: [ada], matchByEmail: false) }
            #expect(relations == Relations(customers: ["515001"], subscriptions: ["910001"]))
            let result = try await store.transaction {
                try await Fold($0, policy: .init()).refresh(users: [ada])
            }
            // The order belongs to the account, too, but is no evidence (R18).
            #expect(
                result.decisions.values.map(\.outcome.rawValue).sorted() == [
                    "applied", "applied", "applied", "ignored",
                ])
            #expect(result.decisions.values.allSatisfy { $0.userID == ada })
            #expect(try await store.picture(of: ada).tier == "starter")
            #expect(try await releasable() == [])
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a purchase waits for its variant, and is released by the clock`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            _ = try await store.createUser(email: "ada@example.com", id: ada)
            let receipts = try await store.receive([ProviderSubscription.purchase().event0])
            #expect(receipts.map(\.reason) == ["unknown_plan"])
            #expect(try await store.picture(of: ada).tier == "free")
            try await store.mapVariant("101", to: "starter")
            let found = try await store.transaction {
                try await $0.releasable(limit: 10, matchByEmail: false, except: [])
            }
            #expect(found == ["910001"])
            try await store.transaction {
                _ = try await Fold($0, policy: .init()).refresh(
                    users: [], relations: Relations(subscriptions: found))
            }
            #expect(try await store.picture(of: ada).tier == "starter")
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an e-mail is a claim only if the setting allows it`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.mapPlans()
            var subscription = ProviderSubscription.purchase(of: nil)
            subscription.email = "ADA@example.com"
            let body = subscription.event("subscription_created")
            try await store.receive([body], policy: BillingPolicy(matchByEmail: true))
            _ = try await store.createUser(email: "ada@Example.com", id: ada)
            for allowed in [false, true] {
                let found = try await store.transaction {
                    try await $0.releasable(limit: 10, matchByEmail: allowed, except: [])
                }
                #expect(found == (allowed ? ["910001"] : []))
                try await store.transaction {
                    _ = try await Fold($0, policy: BillingPolicy(matchByEmail: allowed)).refresh(users: [ada])
                }
                #expect(try await store.picture(of: ada).tier == (allowed ? "starter" : "free"))
            }
        }
    }

    @Test(
        "An e-mail with letters beyond ASCII's leads to nobody, alone or beside others, and is not tried again and again",
        arguments: DatabaseKind.allCases)
    func foreignLetters(_ kind: DatabaseKind) async throws {
        let policy = BillingPolicy(matchByEmail: true)
        for together in [false, true] {
            try await kind.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.mapPlans()
                _ = try await store.createUser(email: "JÖRG@X.DE", id: ada)
                var silent = ProviderSubscription.purchase(of: nil)
                silent.email = "jörg@x.de"
                var named = ProviderSubscription.purchase(of: ada, id: "910002")
                (named.customerID, named.orderID) = ("515002", "616002")
                let bodies = [silent.event("subscription_created"), named.event("subscription_created")]
                if together {
                    try await store.receive(bodies, policy: policy)
                } else {
                    for body in bodies { try await store.receive([body], policy: policy) }
                }
                #expect(try await store.picture(of: ada).subscriptions.count == 1)
                let found = try await store.transaction {
                    try await $0.releasable(limit: 10, matchByEmail: true, except: [])
                }
                #expect(found == [])
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what an operator binds is the account's, whatever is claimed`(kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
            for owner in [bob, ada, bob] {
                clock.advance(by: 1)
                try await store.transaction { transaction in
                    try await transaction.insert(
                        OperatorAction(userID: owner, kind: .bind(subscription: "910001"), reason: "asked"))
                    _ = try await Fold(transaction, policy: .init()).refresh(
                        users: [], relations: Relations(subscriptions: ["910001"]))
                }
                let bindings = try await store.transaction { try await $0.attributions(of: ["910001", "1"]).bindings }
                #expect(bindings == ["910001": owner])
            }
            let (adas, bobs) = (try await store.picture(of: ada), try await store.picture(of: bob))
            #expect((adas.tier, adas.units, adas.subscriptions.count) == ("free", 100, 0))
            #expect((bobs.tier, bobs.units, bobs.subscriptions.count) == ("starter", 1000, 1))
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what is quarantined is stored and never applied`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            let policy = BillingPolicy(acceptance: Acceptance(storeID: "1"))
            let receipt = try await store.receive([ProviderSubscription.purchase().event0], policy: policy)[0]
            #expect((receipt.outcome, receipt.reason) == (.quarantined, "wrong_store: expected 1, came 4242"))
            try await store.transaction { _ = try await Fold($0, policy: policy).refresh(users: [ada]) }
            #expect(try await store.picture(of: ada).tier == "free")
        }
    }
}
