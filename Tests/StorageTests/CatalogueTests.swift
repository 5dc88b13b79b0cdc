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

@Suite struct CatalogueTests {
    @Test(arguments: DatabaseKind.allCases)
    func `the plans at the start are the four, cheapest first`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            let plans = try await store.primary.plans()
            #expect(plans.map(\.id) == ["free", "starter", "professional", "enterprise"])
            #expect(plans.map(\.monthlyComputeUnits) == [100, 1000, 5000, 25_000])
            #expect(plans.map(\.maxConcurrentTasks) == [1, 3, 10, 50])
            #expect(plans.map(\.priceCents) == [0, 1900, 4900, 9900])
            #expect(plans.allSatisfy { $0.isActive && $0.lemonSqueezyVariantID == nil })
            #expect(abs(plans[0].createdAt.timeIntervalSinceNow) < 3600)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a plan changes in what is given only`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            var changes = PlanChanges()
            changes.priceCents = 2100
            changes.isActive = false
            let plan = try await store.updatePlan("starter", changes)
            #expect(
                (plan.priceCents, plan.isActive, plan.name, plan.monthlyComputeUnits) == (2100, false, "Starter", 1000))
            #expect(try await store.primary.plans().first { $0.id == "starter" } == plan)
            #expect(await storeError { _ = try await store.updatePlan("gold", changes) } == .notFound("plan “gold”"))
            changes.priceCents = -1
            let error = await storeError { _ = try await store.updatePlan("starter", changes) }
            #expect(error == .conflict("a plan's price, units and tasks cannot be negative"))
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a variant that is replaced goes on meaning its plan`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            var changes = PlanChanges()
            changes.lemonSqueezyVariantID = "101"
            _ = try await store.updatePlan("starter", changes)
            let error = await storeError { _ = try await store.updatePlan("professional", changes) }
            #expect(error == .conflict("another plan has that variant already"))
            changes.lemonSqueezyVariantID = "201"
            _ = try await store.updatePlan("starter", changes)
            #expect(try await store.primary.variants() == ["101": "starter", "201": "starter"])
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `further variants are added, and never mean another plan`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            try await store.mapPlans()
            try await store.mapVariant("111", to: "starter")
            try await store.mapVariant("111", to: "starter")
            try await store.mapVariant("101", to: "starter")
            #expect(
                try await store.primary.variants()
                    == ["101": "starter", "102": "professional", "103": "enterprise", "111": "starter"])
            #expect(await storeError { try await store.mapVariant("112", to: "gold") } == .notFound("plan “gold”"))
            for variant in ["101", "111"] {
                let error = await storeError { try await store.mapVariant(variant, to: "professional") }
                #expect(error == .conflict("variant “\(variant)” means plan “starter” already"))
            }
            var changes = PlanChanges()
            changes.lemonSqueezyVariantID = "111"
            let error = await storeError { _ = try await store.updatePlan("professional", changes) }
            #expect(error == .conflict("variant “111” means plan “starter” already"))
            _ = try await store.updatePlan("starter", changes)
            changes.lemonSqueezyVariantID = "101"
            #expect(await storeError { _ = try await store.updatePlan("professional", changes) } != nil)
        }
    }

    @Test("Whoever has a plan is looked at again when its units or its price change", arguments: DatabaseKind.allCases)
    func edited(_ kind: DatabaseKind) async throws {
        // The database's own clock tells since when they are due.
        try await kind.withStore(clock: TestClock(.now + 86_400)) { store in
            try await store.prepare()
            // Two subscriptions of one account: the plan that gives more counts (R10).
            var second = ProviderSubscription.purchase(id: "910002")
            (second.variantID, second.orderID) = ("102", "616002")
            try await store.receive([ProviderSubscription.purchase().event0, second.event0])
            _ = try await Tick(store, policy: BillingPolicy()).run()
            #expect(try await store.user(id: ada)?.subscriptionTier == "professional")
            var changes = PlanChanges()
            changes.monthlyComputeUnits = 500
            _ = try await store.updatePlan("professional", changes)
            _ = try await Tick(store, policy: BillingPolicy()).run(onlyDue: true)
            #expect(try await store.user(id: ada)?.subscriptionTier == "starter")
            let check = try await Rebuild(store, policy: BillingPolicy()).run(check: true)
            #expect(check.problems.isEmpty, "\(check.problems)")
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a plan's terms are kept, and an edit holds from now on`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            var changes = PlanChanges()
            changes.monthlyComputeUnits = 1200
            _ = try await store.updatePlan("starter", changes)
            changes.monthlyComputeUnits = nil
            changes.name = "Beginner"
            _ = try await store.updatePlan("starter", changes)
            let catalog = try await store.transaction { try await $0.catalog() }
            let terms = try #require(catalog.terms["starter"])
            #expect(terms.map(\.monthlyComputeUnits) == [1000, 1200])
            #expect(terms[0].validFrom == .utc("1970-01-01 00:00:00"))
            #expect(abs(terms[1].validFrom.timeIntervalSinceNow) < 3600)
            #expect(catalog.terms["free"]?.map(\.monthlyComputeUnits) == [100])
            #expect(catalog.plans["starter"]?.name == "Beginner")
        }
    }
}
