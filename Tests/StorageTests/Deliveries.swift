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

let ada = UUID(uuidString: "c9f2fcb9-44bc-4075-b4b1-25dcb4c6e200").unsafelyUnwrapped
let bob = UUID(uuidString: "0b0b0b0b-44bc-4075-b4b1-25dcb4c6e200").unsafelyUnwrapped

extension InboxEvent {
    init(_ body: [UInt8]) {
        self.init(
            Delivery(body: body, signature: String(repeating: "0", count: 64), matchedSecret: .current))
    }
}

extension Store {
    /// What the listener does with a batch of deliveries.
    @discardableResult
    func receive(_ bodies: [[UInt8]], policy: BillingPolicy = BillingPolicy()) async throws -> [EventDecision] {
        let events = bodies.map { InboxEvent($0) }
        return try await transaction { try await Fold($0, policy: policy).receive(events) }
    }

    /// The plans as the fixtures have them, and the account they name.
    func prepare() async throws {
        try await mapPlans()
        _ = try await createUser(email: "ada@example.com", id: ada)
    }

    /// The same, the yearly plan included, and the account that a scenario names.
    func prepare(for bodies: [[UInt8]]) async throws -> UUID {
        try await mapPlans()
        try await mapVariant("111", to: "starter")
        return try await createUser(namedBy: bodies)
    }

    @discardableResult
    func createUser(namedBy bodies: [[UInt8]]) async throws -> UUID {
        let user = try #require(bodies.lazy.compactMap { InboxEvent($0).claimedUserID }.first)
        _ = try await createUser(email: "\(user)@example.com", id: user)
        return user
    }

    func mapPlans() async throws {
        for (plan, variant) in [("starter", "101"), ("professional", "102"), ("enterprise", "103")] {
            var changes = PlanChanges()
            changes.lemonSqueezyVariantID = variant
            _ = try await updatePlan(plan, changes)
        }
    }

    /// All of an account that R0 speaks of.
    func picture(of id: UUID) async throws -> AccountPicture {
        let user = try await user(id: id)
        let subscriptions = try await primary.subscriptions(user: id, limit: 100, before: nil).map { row in
            var row = row
            row.id = id
            (row.createdAt, row.updatedAt) = (.distantPast, .distantPast)
            return row
        }
        return AccountPicture(
            tier: user?.subscriptionTier, units: user?.computeUnitsRemaining, resetDate: user?.computeUnitsResetDate,
            subscriptions: subscriptions.sorted {
                ($0.lemonSqueezySubscriptionID ?? "") < ($1.lemonSqueezySubscriptionID ?? "")
            },
            buckets: try await buckets(user: id).rows)
    }
}

struct AccountPicture: Sendable, Hashable {
    var tier: String?
    var units: Int?
    var resetDate: Date?
    var subscriptions: [UserSubscription]
    var buckets: [Bucket]
}

extension ProviderSubscription {
    /// A purchase of starter on 12 October 2026.
    static func purchase(of user: UUID? = ada, id: String = "910001") -> ProviderSubscription {
        var subscription = ProviderSubscription(
            userID: user, createdAt: .utc("2026-10-12 09:30:04"), renewsAt: .utc("2026-11-12 09:30:01"))
        subscription.id = id
        return subscription
    }
}

let beforePurchase = Date.utc("2026-10-01 00:00:00")
let afterPurchase = Date.utc("2026-10-12 10:00:00")

extension Array {
    /// All orders of the elements.
    var permutations: [[Element]] {
        guard let first else { return [[]] }
        return Array(dropFirst()).permutations.flatMap { rest in
            (0...rest.count).map { rest[..<$0] + [first] + rest[$0...] }
        }
    }
}

/// The error that `body` throws, if it is the store's.
func storeError(_ body: () async throws -> Void) async -> StoreError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? StoreError
    }
}

extension UUID {
    /// As both databases and all output spell it.
    var lowercased: String { uuidString.lowercased() }
}

extension Rebuild.Report {
    /// What differs, and what could not be compared.
    var problems: [Rebuild.Difference] { differences + failures }
}
