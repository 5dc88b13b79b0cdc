import Billing
import Foundation
import Selextract
import Storage

/// What the database says of an account, without what differs between two databases that say the same.
struct AccountRows: Equatable, Sendable {
    var subscriptions: [UserSubscription]
    var tier: String?
    var units: Int?
    var resetDate: Date?
    var buckets: Set<Bucket>

    init(_ store: Store, _ id: UUID) async throws {
        let user = try await store.user(id: id)
        tier = user?.subscriptionTier
        units = user?.computeUnitsRemaining
        resetDate = user?.computeUnitsResetDate
        buckets = Set(try await store.buckets(user: id))
        subscriptions = try await store.primary.subscriptions(user: id, limit: 100, before: nil).rows
        for index in subscriptions.indices {
            subscriptions[index].id = id
            subscriptions[index].createdAt = .distantPast
            subscriptions[index].updatedAt = .distantPast
        }
    }
}

/// All that a delivery can change, but for the stored events.
struct BillingRows: Equatable, Sendable {
    var users: [User]
    var subscriptions: [UserSubscription]
    var plans: [SubscriptionPlan]
    var variants: [String: String]
    var ledger: [LedgerRecord]

    init(_ store: Store) async throws {
        users = try await store.primary.users(limit: 1000, before: nil).rows
        subscriptions = try await store.primary.subscriptions(user: nil, limit: 1000, before: nil).rows
        plans = try await store.primary.plans()
        variants = try await store.primary.variants()
        ledger = []
        for user in users { ledger += try await store.ledger(user: user.id) }
    }
}
