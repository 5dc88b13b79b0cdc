public import Foundation
import LemonSqueezy
public import Selextract

/// The plans, the variants that mean them, and what a month of each gave from when on.
public struct PlanCatalog: Sendable, Hashable {
    public var plans: [String: SubscriptionPlan]
    /// Variant id to plan id (R6).
    public var variants: [String: String]
    /// Monthly units by plan, in order of the moment from which they hold.
    public var terms: [String: [Terms]]

    /// What a month of a plan gives, from a moment on.
    public struct Terms: Sendable, Hashable {
        public var validFrom: Date
        public var monthlyComputeUnits: Int

        public init(validFrom: Date, monthlyComputeUnits: Int) {
            self.validFrom = validFrom
            self.monthlyComputeUnits = monthlyComputeUnits
        }
    }

    /// - Parameters:
    ///   - variants: those of `plan_variants`; the plans' own are added.
    ///   - terms: may lack a plan: then the plan's present units hold for all time.
    public init(plans: [SubscriptionPlan], variants: [String: String] = [:], terms: [String: [Terms]] = [:]) {
        self.plans = Dictionary(plans.map { ($0.id, $0) }) { first, _ in first }
        let own = plans.compactMap { plan in plan.lemonSqueezyVariantID.map { ($0, plan.id) } }
        self.variants = Dictionary(own) { first, _ in first }.merging(variants) { own, _ in own }
        self.terms = terms.mapValues { $0.sorted { $0.validFrom < $1.validFrom } }
    }

    /// - Parameter variant: nil means no plan, as a variant does that is not mapped.
    public func plan(variant: String?) -> SubscriptionPlan? {
        variant.flatMap { variants[$0] }.flatMap { plans[$0] }
    }

    /// The plan that a snapshot tells of: by its variant, or as an adopted row names it (R21); nil: none that is known.
    func plan(of snapshot: Snapshot) -> SubscriptionPlan? {
        snapshot.adoption.map { plans[$0.planID] } ?? plan(variant: snapshot.variantID)
    }

    /// The units of a month that begins at `begin`: editing a plan changes later months only (R13).
    func units(plan id: String, monthBeginning begin: Date) -> Int {
        guard let terms = terms[id], let first = terms.first else { return plans[id]?.monthlyComputeUnits ?? 0 }
        return (terms.last { $0.validFrom <= begin } ?? first).monthlyComputeUnits
    }
}
