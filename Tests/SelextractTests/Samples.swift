import Foundation
import Selextract

/// Rows to change in tests.
enum Sample {
    static let noon = moment("2026-10-12T12:00:00Z")

    static func moment(_ text: String) -> Date {
        guard let date = try? Date(text, strategy: .iso8601) else { preconditionFailure("“\(text)” is no moment") }
        return date
    }

    static func id(_ number: UInt8) -> UUID {
        UUID(uuid: (0xAB, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, number))
    }

    static func plan(_ id: String = "starter", units: Int = 1000, tasks: Int = 3, cents: Int = 1900) -> SubscriptionPlan
    {
        SubscriptionPlan(
            id: id, name: id.capitalized, monthlyComputeUnits: units, maxConcurrentTasks: tasks, priceCents: cents,
            createdAt: noon)
    }

    static func user(units: Int = 1000, tier: String = "starter", isActive: Bool = true) -> User {
        User(
            id: id(1), email: "ada@example.com", isActive: isActive, subscriptionTier: tier,
            computeUnitsRemaining: units, computeUnitsResetDate: noon, createdAt: noon, updatedAt: noon)
    }

    static func task(_ status: ScrapingTask.Status = .pending) -> ScrapingTask {
        ScrapingTask(
            id: id(2), userID: id(1), name: "Books", config: ["target_url": "https://example.com/"], status: status,
            startedAt: status == .running || status == .completed ? noon : nil,
            completedAt: status.isFinished ? noon : nil, createdAt: noon)
    }

    /// A row that another program made, unless it is given a provider's id; its period lasts from a day before noon to ten
    /// days after it.
    static func subscription(
        _ status: String = "active", plan: String = "starter", provider: String? = nil, id number: UInt8 = 3
    ) -> UserSubscription {
        UserSubscription(
            id: id(number), userID: id(1), planID: plan, lemonSqueezySubscriptionID: provider, status: status,
            currentPeriodStart: noon - 86_400, currentPeriodEnd: noon + 864_000, cancelAtPeriodEnd: false,
            lemonSqueezyCustomerID: nil, lemonSqueezyVariantID: nil, renewsAt: nil, endsAt: nil, trialEndsAt: nil,
            pauseMode: nil, pauseResumesAt: nil, sourceUpdatedAt: nil, createdAt: noon, updatedAt: noon)
    }
}

/// A random generator that gives the same numbers for the same seed, so that a failure can be repeated (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
