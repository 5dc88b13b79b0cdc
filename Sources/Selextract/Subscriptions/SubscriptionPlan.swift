public import Foundation

/// A plan of the catalogue, a row of `subscription_plans`.
public struct SubscriptionPlan: Sendable, Codable, Hashable, Identifiable {
    /// The id of the plan that an account without access to any other has.
    public static let freeID = "free"

    public var id: String
    public var name: String
    public var description: String?
    /// Compute units a month; 1 unit is 1 minute of task run time.
    public var monthlyComputeUnits: Int
    /// How many unfinished tasks (pending, queued, running) an account may have at once.
    public var maxConcurrentTasks: Int
    /// US cents a month.
    public var priceCents: Int
    /// The variant that sells it; further ones are in `plan_variants` (R6).
    public var lemonSqueezyVariantID: String?
    /// Whether it is offered. A plan no longer offered still counts for those who have it.
    public var isActive: Bool
    public var createdAt: Date

    /// The columns.
    public enum CodingKeys: String, CodingKey {
        case id
        case name
        case description
        case monthlyComputeUnits = "monthly_compute_units"
        case maxConcurrentTasks = "max_concurrent_tasks"
        case priceCents = "price_cents"
        case lemonSqueezyVariantID = "lemon_squeezy_variant_id"
        case isActive = "is_active"
        case createdAt = "created_at"
    }

    public init(
        id: String, name: String, description: String? = nil, monthlyComputeUnits: Int, maxConcurrentTasks: Int,
        priceCents: Int, lemonSqueezyVariantID: String? = nil, isActive: Bool = true, createdAt: Date
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.monthlyComputeUnits = monthlyComputeUnits
        self.maxConcurrentTasks = maxConcurrentTasks
        self.priceCents = priceCents
        self.lemonSqueezyVariantID = lemonSqueezyVariantID
        self.isActive = isActive
        self.createdAt = createdAt
    }

    public var isFree: Bool { priceCents == 0 }

    /// US dollars a month.
    public var price: Decimal { Decimal(priceCents) / 100 }
}
