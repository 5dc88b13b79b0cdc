import Accounts
import Billing
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// R18: whose orders are, and R19: what of other programs gives nothing.
@Suite struct OrderTests {
    private let policy = BillingPolicy()

    private func owners(_ store: Store) async throws -> [UUID?] {
        var filter = EventFilter()
        filter.name = "order_created"
        return try await store.primary.eventRecords(filter, limit: 9, before: nil).map(\.userID)
    }

    @Test(
        "An order belongs to its subscription's account, whichever came first, and moves with it",
        arguments: DatabaseKind.allCases, [false, true])
    func bySubscription(_ kind: DatabaseKind, orderFirst: Bool) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            // The order itself names nobody, and no customer.
            var bought = ProviderSubscription.purchase()
            var silent = bought
            silent.userID = nil
            let order = String(decoding: silent.order(), as: UTF8.self)
                .replacing(#""customer_id":515001"#, with: #""customer_id":null"#)
            let bodies = [Array(order.utf8), bought.event("subscription_created")]
            for body in orderFirst ? bodies : bodies.reversed() { try await store.receive([body]) }
            #expect(try await owners(store) == [ada])
            try await store.bind(subscription: "910001", to: bob, reason: nil, policy: policy)
            #expect(try await owners(store) == [bob])
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems.isEmpty)
        }
    }

    @Test(
        "Without a subscription it belongs to the account that its custom data names", arguments: DatabaseKind.allCases)
    func byCustomData(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            let receipt = try await store.receive([ProviderSubscription.purchase().order()])[0]
            #expect(receipt.outcome == .ignored)
            #expect(try await owners(store) == [nil])
            _ = try await store.createAccount(NewUser(id: ada, email: "ada@example.com"), policy: policy)
            #expect(try await owners(store) == [ada])
            // An order is no claim (R5) and no evidence (R12).
            #expect(try await store.picture(of: ada).units == 100)
        }
    }

    @Test("A fraudulent order is shown, no more", arguments: DatabaseKind.allCases)
    func fraud(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            let take = BillingPolicy(refundUnits: .take)
            var bought = ProviderSubscription.purchase()
            try await store.receive([bought.event("subscription_created")], policy: take)
            let before = try await store.picture(of: ada)
            let receipt = try await store.receive([bought.order(status: "fraudulent")], policy: take)[0]
            #expect(receipt.outcome == .ignored)
            #expect(try await store.picture(of: ada) == before)
            let line = try await TimeLine(account: ada, store: store, policy: take)
            let texts = line.items.flatMap { item -> [String] in
                if case .event(_, let reasons, _) = item.item { reasons.map(\.text) } else { [] }
            }
            #expect(texts.contains { $0.contains("fraudulent") })
        }
    }

    @Test(
        "A plan that another program wrote down gives nothing, and no clock takes it from the account's row",
        arguments: DatabaseKind.allCases)
    func unadopted(_ kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                try await database.execute(
                    """
                    update users set subscription_tier = 'professional';
                    insert into user_subscriptions (user_id, plan_id) select id, 'professional' from users
                    """)
                for _ in 0..<2 {
                    clock.advance(by: 40 * 86_400)
                    _ = try await Tick(store, policy: policy).run()
                    #expect(try await store.picture(of: ada).tier == "professional")
                    #expect(try await store.picture(of: ada).units == 100)
                    #expect(try await store.entitlement(user: ada)?.hasAccess == false)
                }
                // What the provider says takes over; and what is over is over.
                try await store.receive([ProviderSubscription.purchase().event0])
                #expect(try await store.picture(of: ada).tier == "starter")
            }
        }
    }
}
