import Foundation
import GRDB
public import Selextract

extension SubscriptionPlan {
    init(row: SQLiteRow) throws {
        let (id, name, description, units, tasks, price, variant, isActive, created) = try row.decode(
            String.self, String.self, String?.self, Int.self, Int.self, Int.self, String?.self, Bool.self, Date.self)
        self.init(
            id: id, name: name, description: description, monthlyComputeUnits: units.asColumn,
            maxConcurrentTasks: tasks.asColumn, priceCents: price.asColumn, lemonSqueezyVariantID: variant,
            isActive: isActive, createdAt: created)
    }
}

extension SQLiteStore {
    private static let planColumns = """
        id, name, description, monthly_compute_units, max_concurrent_tasks, price_cents, lemon_squeezy_variant_id,
        is_active, created_at
        """

    static let plansQuery: SQLiteQuery =
        "select \(unescaped: planColumns) from subscription_plans order by price_cents, id"

    public func plans() async throws -> [SubscriptionPlan] {
        try await query(Self.plansQuery).map(SubscriptionPlan.init(row:))
    }

    public func variants() async throws -> [String: String] {
        let rows = try await query(
            """
            select variant_id, plan_id from plan_variants
            union all
            select lemon_squeezy_variant_id, id from subscription_plans where lemon_squeezy_variant_id is not null
            """)
        return Dictionary(try rows.map { try $0.decode(String.self, String.self) }) { _, own in own }
    }

    public func updatePlan(_ id: String, _ changes: PlanChanges) async throws -> SubscriptionPlan {
        try await write { writer in
            do {
                let rows = try await writer.query(
                    """
                    update subscription_plans set
                        name = coalesce(\(changes.name), name),
                        description = coalesce(\(changes.description), description),
                        monthly_compute_units = coalesce(\(changes.monthlyComputeUnits), monthly_compute_units),
                        max_concurrent_tasks = coalesce(\(changes.maxConcurrentTasks), max_concurrent_tasks),
                        price_cents = coalesce(\(changes.priceCents), price_cents),
                        lemon_squeezy_variant_id = coalesce(\(changes.lemonSqueezyVariantID), lemon_squeezy_variant_id),
                        is_active = coalesce(\(changes.isActive), is_active)
                    where id = \(id)
                    returning \(unescaped: Self.planColumns)
                    """)
                guard let row = rows.first else { throw StoreError.notFound("plan “\(id)”") }
                return try SubscriptionPlan(row: row)
            } catch let error as DatabaseError where error.isUniqueViolation {
                throw StoreError.conflict("another plan has that variant already")
            } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_CHECK {
                throw StoreError.conflict("a plan's price, units and tasks cannot be negative")
            }
        }
    }

    public func mapVariant(_ variant: String, to plan: String) async throws {
        let meant = try await write { writer in
            guard try await !writer.query("select 1 from subscription_plans where id = \(plan)").isEmpty else {
                throw StoreError.notFound("plan “\(plan)”")
            }
            let own = try await writer.query(
                "select id from subscription_plans where lemon_squeezy_variant_id = \(variant)")
            if let other = try own.values(String.self).first { return other }
            return try await writer.query(
                """
                insert into plan_variants (variant_id, plan_id) values (\(variant), \(plan))
                on conflict (variant_id) do update set variant_id = excluded.variant_id
                returning plan_id
                """
            ).values(String.self)[0]
        }
        if meant != plan {
            throw StoreError.conflict("variant “\(variant)” means plan “\(meant)” already")
        }
    }
}
