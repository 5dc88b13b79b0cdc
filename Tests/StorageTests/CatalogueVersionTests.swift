import Accounts
import Billing
import Databases
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// A store reads the catalogue again when its version is another.
@Suite struct CatalogueVersionTests {
    /// An edit of the catalogue that gives the account which bought variant 101, and changed to 777, another plan or
    /// other units. A plan that it changed to a second after the purchase gives a unit less than a whole month (R13).
    struct Edit: Sendable, CustomTestStringConvertible {
        var sql: String
        var tier: String
        var units: Int

        var testDescription: String { sql }
    }

    private static let edits = [
        Edit(
            sql: "update subscription_plans set lemon_squeezy_variant_id = '777' where id = 'professional'",
            tier: "professional", units: 4999),
        Edit(
            sql: "insert into plan_variants (variant_id, plan_id) values ('777', 'professional')", tier: "professional",
            units: 4999),
        Edit(
            sql: "update plan_terms set monthly_compute_units = 1300 where plan_id = 'starter'", tier: "starter",
            units: 1300),
        Edit(
            sql: """
                delete from plan_terms where plan_id = 'starter';
                insert into plan_terms (plan_id, valid_from, monthly_compute_units)
                select 'starter', valid_from, 1400 from plan_terms where plan_id = 'free'
                """, tier: "starter", units: 1400),
    ]

    /// Ada's subscription, bought and of a variant that means no plan, in a store that knows the catalogue from it.
    private func withSubscription(
        _ kind: DatabaseKind,
        _ body: (TestDatabase, TestClock, Store, inout ProviderSubscription) async throws -> Void
    ) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                var bought = ProviderSubscription.purchase()
                try await store.receive([
                    bought.event("subscription_created"),
                    bought.invoice(id: 1, reason: "initial", createdAt: .utc("2026-10-12 09:30:01")),
                ])
                bought.variantID = "777"
                try await store.receive([bought.event("subscription_updated", at: bought.createdAt + 1)])
                try await expect(store, "starter", 1000)
                try await body(database, clock, store, &bought)
            }
        }
    }

    private func expect(
        _ store: Store, _ tier: String, _ units: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let picture = try await store.picture(of: ada)
        #expect(picture.tier == tier, sourceLocation: sourceLocation)
        #expect(picture.units == units, sourceLocation: sourceLocation)
    }

    @Test(
        "What another program edits in plans, variants and terms holds at the next delivery",
        arguments: DatabaseKind.allCases, edits)
    func edited(_ kind: DatabaseKind, _ edit: Edit) async throws {
        try await withSubscription(kind) { database, _, store, bought in
            try await database.execute(edit.sql)
            try await store.receive([bought.event("subscription_updated", at: bought.createdAt + 2)])
            try await expect(store, edit.tier, edit.units)
        }
    }

    @Test("So does what is removed", arguments: DatabaseKind.allCases)
    func removed(_ kind: DatabaseKind) async throws {
        try await withSubscription(kind) { database, _, store, bought in
            try await database.execute(
                "insert into plan_variants (variant_id, plan_id) values ('777', 'professional')")
            try await store.receive([bought.event("subscription_updated", at: bought.createdAt + 2)])
            try await expect(store, "professional", 4999)
            try await database.execute("delete from plan_variants where variant_id = '777'")
            try await store.receive([bought.event("subscription_updated", at: bought.createdAt + 3)])
            try await expect(store, "starter", 1000)
        }
    }

    @Test("What the store itself edits holds at its next delivery", arguments: DatabaseKind.allCases)
    func own(_ kind: DatabaseKind) async throws {
        try await withSubscription(kind) { _, _, store, bought in
            try await store.mapVariant("777", to: "professional")
            try await store.receive([bought.event("subscription_updated", at: bought.createdAt + 2)])
            try await expect(store, "professional", 4999)
            var changes = PlanChanges()
            changes.lemonSqueezyVariantID = "778"
            _ = try await store.updatePlan("enterprise", changes)
            bought.variantID = "778"
            try await store.receive([bought.event("subscription_updated", at: bought.createdAt + 3)])
            try await expect(store, "enterprise", 24_999)
        }
    }

    @Test("An edit that is rolled back changes nothing, and hides no later one", arguments: DatabaseKind.allCases)
    func rolledBack(_ kind: DatabaseKind) async throws {
        try await withSubscription(kind) { database, _, store, bought in
            let version = try await self.version(database)
            for edit in Self.edits { try await database.execute("begin; \(edit.sql); rollback") }
            #expect(try await self.version(database) == version)
            try await store.receive([bought.event("subscription_updated", at: bought.createdAt + 2)])
            try await expect(store, "starter", 1000)
            try await database.execute(
                "insert into plan_variants (variant_id, plan_id) values ('777', 'professional')")
            try await store.receive([bought.event("subscription_updated", at: bought.createdAt + 3)])
            try await expect(store, "professional", 4999)
        }
    }

    @Test("While another program's edit is not committed, the catalogue is as before")
    func uncommitted() async throws {
        try await withSubscription(.postgreSQL) { database, _, store, bought in
            let edit = "insert into plan_variants (variant_id, plan_id) values ('777', 'professional')"
            let meanwhile = bought.event("subscription_updated", at: bought.createdAt + 2)
            try await database.withLock(edit) {
                try await store.receive([meanwhile])
                try await expect(store, "starter", 1000)
            }
            try await database.execute(edit)
            try await store.receive([bought.event("subscription_updated", at: bought.createdAt + 3)])
            try await expect(store, "professional", 4999)
        }
    }

    @Test("Of two stores on one database each sees the other's edits", arguments: DatabaseKind.allCases)
    func twoStores(_ kind: DatabaseKind) async throws {
        try await withSubscription(kind) { database, clock, first, bought in
            let again = bought.event("subscription_updated", at: bought.createdAt + 2)
            let professional = bought.event("subscription_updated", at: bought.createdAt + 3)
            bought.variantID = "778"
            let enterprise = bought.event("subscription_updated", at: bought.createdAt + 4)
            try await database.withStore(clock: clock) { second in
                // Both know the catalogue of this version.
                try await second.receive([again])
                try await expect(second, "starter", 1000)
                try await first.mapVariant("777", to: "professional")
                try await second.receive([professional])
                try await expect(second, "professional", 4999)
                try await second.mapVariant("778", to: "enterprise")
                try await first.receive([enterprise])
                try await expect(first, "enterprise", 24_999)
            }
        }
    }

    @Test("Each statement that may change the catalogue gives a later version", arguments: DatabaseKind.allCases)
    func versions(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            var edits = [
                """
                insert into subscription_plans (id, name, monthly_compute_units, max_concurrent_tasks, price_cents)
                values ('gold', 'Gold', 1, 1, 1)
                """, "update subscription_plans set price_cents = 2 where id = 'gold'",
                "insert into plan_variants (variant_id, plan_id) values ('777', 'gold')",
                "update plan_variants set plan_id = 'free' where variant_id = '777'",
                "delete from plan_variants where variant_id = '777'",
                """
                insert into plan_terms (plan_id, valid_from, monthly_compute_units)
                values ('gold', '2030-01-01T00:00:00.000Z', 2)
                """, "update plan_terms set monthly_compute_units = 3 where plan_id = 'gold'",
                "delete from plan_terms where plan_id = 'gold'", "delete from subscription_plans where id = 'gold'",
            ]
            if kind == .postgreSQL { edits.append("truncate plan_variants") }
            var versions = [try await version(database)]
            for edit in edits {
                try await database.execute(edit)
                versions.append(try await version(database))
            }
            #expect(zip(versions, versions.dropFirst()).allSatisfy { $0 < $1 }, "\(versions)")
            // One that is ahead of the clock, as after the clock was put back.
            try await database.execute("update catalog_version set version = version + 1000000000")
            let ahead = try await version(database)
            try await database.execute("update subscription_plans set price_cents = 2100 where id = 'starter'")
            #expect(try await version(database) == ahead + 1)
        }
    }

    private func version(_ database: TestDatabase) async throws -> Int {
        let versions = try await database.values("select cast(version as varchar(20)) from catalog_version")
        return try #require(versions.first.flatMap { Int($0) })
    }
}
