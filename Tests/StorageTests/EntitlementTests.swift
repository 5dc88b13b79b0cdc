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
    func `the view says what the rules say, on the way and where something ends`(
        scenario: String, kind: DatabaseKind
    ) async throws {
        let bodies = try Fixtures.scenario(scenario).map(\.body)
        let plans = try await follow(kind, bodies) { try await $0.prepare(for: bodies) }
        #expect((plans == ["free"]) == Fixtures.withoutPlan.contains(scenario))
    }

    @Test(arguments: DatabaseKind.allCases)
    func `the view says what the rules say of granted plans`(kind: DatabaseKind) async throws {
        let plans = try await follow(kind, [ProviderSubscription.purchase().event0]) { store in
            try await store.prepare()
            let until = Date.utc("2026-12-01 12:00:00")
            try await store.grant("professional", to: ada, until: until, reason: "a test", policy: .init())
            return ada
        }
        #expect(plans == ["professional", "starter"])
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
        let plans = try await follow(kind, bodies) { store in
            try await store.prepare()
            return ada
        }
        #expect(plans == ["free", "starter", "enterprise", "starter"])
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

    /// Compares the view with the account, each three weeks, and at each second at which something changes by itself and
    /// the one before it. The view looks at the moment, the row was written when the account was looked at: both say the
    /// same then.
    ///
    /// - Parameters:
    ///   - bodies: of deliveries, each of which comes when the provider wrote it, or right after the one before it.
    ///   - begin: brings an account.
    /// - Returns: the plans that counted one after the other.
    private func follow(
        _ kind: DatabaseKind, _ bodies: [[UInt8]], after begin: (Store) async throws -> UUID
    ) async throws -> [String] {
        let clock = TestClock(beforePurchase)
        var plans: [String] = []
        try await kind.withStore(clock: clock) { store in
            let user = try await begin(store)
            func look(at moment: Date) async throws {
                clock.set(moment)
                // The view first: it needs the moment only, not the clock's last run (R13).
                let entitlement = try #require(try await store.entitlement(user: user))
                try await store.transaction { _ = try await Fold($0, policy: .init()).refresh(users: [user]) }
                let row = try #require(try await store.user(id: user))
                #expect(entitlement.planID == row.subscriptionTier, "\(moment)")
                #expect(entitlement.computeUnitsRemaining == row.computeUnitsRemaining, "\(moment)")
                #expect(entitlement.computeUnitsResetDate == row.computeUnitsResetDate, "\(moment)")
                #expect(entitlement.hasAccess == (row.subscriptionTier != "free"), "\(moment)")
                #expect(try await store.entitlement(user: user) == entitlement, "\(moment)")
                if plans.last != entitlement.planID { plans.append(entitlement.planID) }
            }
            func go(until end: Date) async throws {
                while clock.now < end {
                    let next = min(clock.now.addingTimeInterval(23.3 * 86_400), end)
                    while let change = try await nextChange(of: user, store), clock.now < change, change <= next {
                        if clock.now < change - 1 { try await look(at: change - 1) }
                        try await look(at: change)
                    }
                    try await look(at: next)
                }
            }
            for body in bodies {
                let event = InboxEvent(body)
                let writtenAt = event.snapshot?.updatedAt ?? event.invoice?.updatedAt ?? event.order?.updatedAt
                if let writtenAt { try await go(until: writtenAt) }
                try await store.receive([body])
                try await look(at: clock.now)
            }
            try await go(until: clock.now.addingTimeInterval(70 * 86_400))
        }
        return plans
    }

    private func nextChange(of user: UUID, _ store: Store) async throws -> Date? {
        try await store.transaction { try await $0.lockAccount(user)?.dueAt }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `another program reads the view by the database's own clock`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            // The store's clock is two days behind: by it, a plan that has ended since yesterday still counts.
            try await database.withStore(clock: TestClock(.now - 2 * 86_400)) { store in
                try await store.prepare()
                try await store.grant("professional", to: ada, until: .now - 86_400, reason: "a test", policy: .init())
                #expect(try await store.entitlement(user: ada)?.planID == "professional")
                let rows = try await database.values(
                    """
                    select plan_id || ' ' || cast(compute_units_remaining as varchar(20))
                    from account_entitlements where email = 'ada@example.com'
                    """)
                #expect(rows == ["free 100"])
            }
        }
    }
}
