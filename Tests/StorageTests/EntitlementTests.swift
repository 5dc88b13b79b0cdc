import Accounts
import Billing
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct EntitlementTests {
    @Test(arguments: DatabaseKind.allCases)
    func `a new account has the free plan, and no access to another`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            let user = try await store.createUser(email: "ada@example.com", id: ada)
            let entitlement = try #require(try await store.entitlement(user: ada))
            #expect((entitlement.planID, entitlement.hasAccess, entitlement.status) == ("free", false, nil))
            #expect((entitlement.accessUntil, entitlement.lemonSqueezySubscriptionID) == (nil, nil))
            #expect(entitlement.computeUnitsRemaining == 100)
            #expect(entitlement.computeUnitsResetDate == user.computeUnitsResetDate)
            #expect(try await store.entitlement(user: bob) == nil)
        }
    }

    /// The view looks at the moment, the row was written when the account was looked at: both say the same then.
    @Test(arguments: Fixtures.scenarioNames, DatabaseKind.allCases)
    func `the view says what the rules say, day by day`(scenario: String, kind: DatabaseKind) async throws {
        let bodies = try Fixtures.scenario(scenario).map(\.body)
        let clock = TestClock(beforePurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            clock.set(.utc("2026-10-12 12:00:00"))
            for body in bodies { try await store.receive([body]) }
            for _ in 0..<12 {
                clock.advance(by: 9.3 * 86_400)
                // The view first: it needs the moment only, not the clock's last run (R13).
                let entitlement = try #require(try await store.entitlement(user: ada))
                try await store.transaction { _ = try await Fold($0, policy: .init()).refresh(users: [ada]) }
                let user = try #require(try await store.user(id: ada))
                #expect(entitlement.planID == user.subscriptionTier)
                #expect(entitlement.computeUnitsRemaining == user.computeUnitsRemaining)
                #expect(entitlement.computeUnitsResetDate == user.computeUnitsResetDate)
                #expect(entitlement.hasAccess == (user.subscriptionTier != "free"))
                #expect(try await store.entitlement(user: ada) == entitlement)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `another program reads the view by the database's own clock`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore { store in
                try await store.prepare()
                try await store.receive([ProviderSubscription.purchase().event0])
                let rows = try await database.values(
                    """
                    select plan_id || ' ' || status || ' ' || cast(compute_units_remaining as varchar(20))
                    from account_entitlements where email = 'ada@example.com'
                    """)
                let own = try #require(try await store.entitlement(user: ada))
                #expect(rows == ["\(own.planID) \(own.status ?? "") \(own.computeUnitsRemaining)"])
            }
        }
    }
}
