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

    @Test(arguments: Fixtures.scenarioNames, DatabaseKind.allCases)
    func `the view says what the rules say, day by day and where something ends`(
        scenario: String, kind: DatabaseKind
    ) async throws {
        let bodies = try Fixtures.scenario(scenario).map(\.body)
        try await follow(kind) { store in
            for body in bodies { try await store.receive([body]) }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `the view says what the rules say of granted plans`(kind: DatabaseKind) async throws {
        try await follow(kind) { store in
            try await store.receive([ProviderSubscription.purchase().event0])
            let until = Date.utc("2026-12-24 12:00:00")
            try await store.grant("professional", to: ada, until: until, reason: "a test", policy: .init())
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `the view puts a plan whose month is paid before a greater one whose month is not`(
        kind: DatabaseKind
    ) async throws {
        var starter = ProviderSubscription.purchase()
        starter.renewsAt = .utc("2027-10-12 09:30:00")
        var enterprise = ProviderSubscription.purchase(id: "920002")
        enterprise.variantID = "103"
        let bodies = [starter.event0, enterprise.event0]
        let plans = try await follow(kind) { try await $0.receive(bodies) }
        #expect(plans == ["enterprise", "starter"])
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what another program has written counts in the view at once`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore { store in
                try await store.prepare()
                try await store.receive([ProviderSubscription.purchase().event0])
                let before = try #require(try await store.entitlement(user: ada))
                try await database.execute("update users set compute_units_remaining = compute_units_remaining - 7")
                let after = try #require(try await store.entitlement(user: ada))
                #expect(after.computeUnitsRemaining == before.computeUnitsRemaining - 7)
                #expect(after.computeUnitsGranted == before.computeUnitsGranted)
            }
        }
    }

    /// Compares the view with the account, each nine days, and at each second at which something changes by itself and
    /// the one before it. The view looks at the moment, the row was written when the account was looked at: both say the
    /// same then.
    ///
    /// - Returns: the plans that counted one after the other.
    @discardableResult
    private func follow(_ kind: DatabaseKind, after begin: (Store) async throws -> Void) async throws -> [String] {
        let clock = TestClock(beforePurchase)
        var plans: [String] = []
        try await kind.withStore(clock: clock) { store in
            func look(at moment: Date) async throws {
                clock.set(moment)
                // The view first: it needs the moment only, not the clock's last run (R13).
                let entitlement = try #require(try await store.entitlement(user: ada))
                try await store.transaction { _ = try await Fold($0, policy: .init()).refresh(users: [ada]) }
                let user = try #require(try await store.user(id: ada))
                #expect(entitlement.planID == user.subscriptionTier, "\(moment)")
                #expect(entitlement.computeUnitsRemaining == user.computeUnitsRemaining, "\(moment)")
                #expect(entitlement.computeUnitsResetDate == user.computeUnitsResetDate, "\(moment)")
                #expect(entitlement.hasAccess == (user.subscriptionTier != "free"), "\(moment)")
                #expect(try await store.entitlement(user: ada) == entitlement, "\(moment)")
                if plans.last != entitlement.planID { plans.append(entitlement.planID) }
            }
            try await store.prepare()
            clock.set(.utc("2026-10-12 12:00:00"))
            try await begin(store)
            for _ in 0..<12 {
                let next = clock.now.addingTimeInterval(9.3 * 86_400)
                while let change = try await nextChange(store), clock.now < change, change <= next {
                    if clock.now < change - 1 { try await look(at: change - 1) }
                    try await look(at: change)
                }
                try await look(at: next)
            }
        }
        return plans
    }

    private func nextChange(_ store: Store) async throws -> Date? {
        try await store.transaction { try await $0.lockAccount(ada)?.dueAt }
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
