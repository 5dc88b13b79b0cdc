import Foundation
import Postgres
public import Selextract

extension SubscriptionPlan {
    init(row: PostgresRow) throws {
        let (id, name, description, units, tasks, price, variant, isActive, created) = try row.decode(
            String.self, String.self, String?.self, Int.self, Int.self, Int.self, String?.self, Bool.self, Date.self)
        self.init(
            id: id, name: name, description: description, monthlyComputeUnits: units, maxConcurrentTasks: tasks,
            priceCents: price, lemonSqueezyVariantID: variant, isActive: isActive, createdAt: created)
    }
}

extension PostgresStore {
    private static let planColumns = """
        id, name, description, monthly_compute_units, max_concurrent_tasks, price_cents, lemon_squeezy_variant_id,
        is_active, created_at
        """

    static let plansQuery: PostgresQuery =
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
        do {
            let rows = try await connections.query(
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
        } catch let error as PostgresError where error.isUniqueViolation {
            throw StoreError.conflict("another plan has that variant already")
        } catch let error as PostgresError where error.sqlState == "23514" {
            throw StoreError.conflict("a plan's price, units and tasks cannot be negative")
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }

    public func mapVariant(_ variant: String, to plan: String) async throws {
        let rows = try await mapped {
            try await connections.withTransaction { connection in
                guard try await !connection.query("select from subscription_plans where id = \(plan)").isEmpty else {
                    throw StoreError.notFound("plan “\(plan)”")
                }
                return try await connection.query(
                    """
                    with given as (
                        select id as plan_id from subscription_plans where lemon_squeezy_variant_id = \(variant)
                    ), added as (
                        insert into plan_variants (variant_id, plan_id)
                        select \(variant), \(plan) where not exists (select from given)
                        on conflict (variant_id) do update set variant_id = excluded.variant_id
                        returning plan_id
                    )
                    select plan_id from given union all select plan_id from added
                    """
                ).values(String.self)
            }
        }
        if let other = rows.first, other != plan {
            throw StoreError.conflict("variant “\(variant)” means plan “\(other)” already")
        }
    }
}
