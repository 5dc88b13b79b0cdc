import Databases
import Foundation
import Selextract

// Rows of `subscription_plans`, `api_keys` and `usage_analytics`.

extension SubscriptionPlan: Record {
    static let tableName = "subscription_plans"
    static let columns: Columns = [
        "id", "name", "description", "monthly_compute_units", "max_concurrent_tasks", "price_cents",
        "lemon_squeezy_variant_id", "is_active", "created_at",
    ]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"], name: try row["name"], description: try row["description"],
            monthlyComputeUnits: try row["monthly_compute_units", as: Int.self].asColumn,
            maxConcurrentTasks: try row["max_concurrent_tasks", as: Int.self].asColumn,
            priceCents: try row["price_cents", as: Int.self].asColumn,
            lemonSqueezyVariantID: try row["lemon_squeezy_variant_id"], isActive: try row["is_active"],
            // No rule reads it, and without its plans nothing can be computed.
            createdAt: (try? row["created_at"]) ?? .distantPast)
    }
}

extension APIKey: Record {
    static let tableName = "api_keys"
    static let columns: Columns = [
        "id", "user_id", "name", "description", "key_hash", "key_prefix", "last_used_at", "is_active", "created_at",
    ]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"], userID: try row["user_id"], name: try row["name"],
            description: try row["description"], keyHash: try row["key_hash"], keyPrefix: try row["key_prefix"],
            lastUsedAt: try row["last_used_at"], isActive: try row["is_active"], createdAt: try row["created_at"])
    }
}

extension UsageAnalytics: Record {
    static let tableName = "usage_analytics"
    static let columns: Columns = [
        "id", "user_id", "date", "tasks_executed", "compute_units_used", "api_calls", "created_at",
    ]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"], userID: try row["user_id"], date: try row["date"],
            tasksExecuted: try row["tasks_executed"], computeUnitsUsed: try row["compute_units_used"],
            apiCalls: try row["api_calls"], createdAt: try row["created_at"])
    }
}

extension UsageAddition {
    static let table = Table<UsageAddition>(
        "usage_analytics", key: ["user_id", "date"],
        [
            Column("user_id", \.userID), Column("date", \.date), Column("tasks_executed", \.tasksExecuted),
            Column("compute_units_used", \.computeUnitsUsed), Column("api_calls", \.apiCalls),
        ])

    /// How the numbers of a stored row change: up to what the columns hold, so that no row stops those behind it.
    static let sums = ["tasks_executed", "compute_units_used", "api_calls"].reduce(into: [:]) { sums, name in
        sums[name] = """
            case when usage_analytics.\(name) > 2147483647 - excluded.\(name) then 2147483647
            else usage_analytics.\(name) + excluded.\(name) end
            """
    }

    init(row: inout RowReader) throws {
        self.init(
            userID: try row["user_id"], date: try row["date"], tasksExecuted: try row["tasks_executed"],
            computeUnitsUsed: try row["compute_units_used"], apiCalls: try row["api_calls"])
    }
}
