public import Billing
import Databases
public import Selextract

extension Store {
    /// Changes what is given; nil leaves as it is.
    ///
    /// - Throws: `StoreError.notFound` if there is no such plan; `.conflict`, also if the variant means another plan.
    public func updatePlan(_ id: String, _ changes: PlanChanges) async throws -> SubscriptionPlan {
        try await transaction { transaction in
            if let variant = changes.lemonSqueezyVariantID {
                let others = try await transaction.fetch(
                    Query<String>(
                        "select plan_id from plan_variants where variant_id = \(variant) and plan_id <> \(id)"))
                if let other = others.first {
                    throw StoreError.conflict("variant “\(variant)” means plan “\(other)” already")
                }
            }
            do {
                let (_, plans) = try await transaction.fetch(
                    Query<Void>(
                        """
                        update subscription_plans set
                            name = coalesce(\(changes.name), name),
                            description = coalesce(\(changes.description), description),
                            monthly_compute_units = coalesce(\(changes.monthlyComputeUnits), monthly_compute_units),
                            max_concurrent_tasks = coalesce(\(changes.maxConcurrentTasks), max_concurrent_tasks),
                            price_cents = coalesce(\(changes.priceCents), price_cents),
                            lemon_squeezy_variant_id =
                                coalesce(\(changes.lemonSqueezyVariantID), lemon_squeezy_variant_id),
                            is_active = coalesce(\(changes.isActive), is_active)
                        where id = \(id)
                        """), Query<SubscriptionPlan>(select: "from subscription_plans where id = \(id)"))
                guard let plan = plans.first else { throw StoreError.notFound("plan “\(id)”") }
                return plan
            } catch let violation as ConstraintViolation where violation.kind == .unique {
                throw StoreError.conflict("another plan has that variant already")
            } catch let violation as ConstraintViolation where violation.kind == .check {
                throw StoreError.conflict("a plan's price, units and tasks cannot be negative")
            }
        }
    }

    /// Lets a further variant mean a plan. Mapping it again to the same plan changes nothing.
    ///
    /// - Parameter operator: who says so, for the record; nil: nobody does, it is a setting.
    /// - Throws: `StoreError.notFound` for the plan; `.conflict` if it means another plan already.
    public func mapVariant(_ variant: String, to plan: String, by operator: Operator? = nil) async throws {
        let meant = try await transaction { transaction in
            if let `operator` { try await transaction.once(`operator`) }
            let (plans, own) = try await transaction.fetch(
                Query<String>("select id from subscription_plans where id = \(plan)"),
                Query<String>("select id from subscription_plans where lemon_squeezy_variant_id = \(variant)"))
            guard !plans.isEmpty else { throw StoreError.notFound("plan “\(plan)”") }
            if let other = own.first { return other }
            let meant = try await transaction.fetch(
                Query<String>(
                    """
                    insert into plan_variants (variant_id, plan_id) values (\(variant), \(plan))
                    on conflict (variant_id) do update set variant_id = excluded.variant_id
                    returning plan_id
                    """))[0]
            if let `operator`, meant == plan {
                try await transaction.record([RecordedAct(.map, plan: plan, variant: variant)], by: `operator`)
            }
            return meant
        }
        if meant != plan { throw StoreError.conflict("variant “\(variant)” means plan “\(meant)” already") }
    }
}

/// What `plans set` can change.
public struct PlanChanges: Sendable, Hashable {
    public var name: String?
    public var description: String?
    public var monthlyComputeUnits: Int?
    public var maxConcurrentTasks: Int?
    public var priceCents: Int?
    public var lemonSqueezyVariantID: String?
    public var isActive: Bool?

    public init() {}
}
