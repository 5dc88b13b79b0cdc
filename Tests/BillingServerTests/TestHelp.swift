import Billing
import Foundation
import LemonSqueezy
import Selextract
import Storage
import TestSupport

/// Runs `body` so many times at once; the results in order.
func concurrently<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        for number in 0..<count { group.addTask { (number, try await body(number)) } }
        var results: [Int: Result] = [:]
        for try await (number, result) in group { results[number] = result }
        return results.sorted { $0.key < $1.key }.map(\.value)
    }
}

/// Lets other tasks run until `condition` holds; the test's time limit ends it otherwise.
func eventually(_ condition: () async throws -> Bool) async throws {
    while try await !condition() {
        try Task.checkCancellation()
        await Task.yield()
    }
}

extension RunningServer {
    /// Creates the account that a payload names.
    func createUser(of body: [UInt8]) async throws -> UUID {
        let event = try WebhookEvent(body: body)
        guard let user = event.customUserID.flatMap(UUID.init(uuidString:)) else {
            throw HTTPClient.Failure(description: "the payload names no account")
        }
        return try await store.createUser(email: event.email ?? "ada@example.com", id: user).id
    }
}

/// What the database says of an account, without what differs between two databases that say the same.
struct AccountRows: Equatable, Sendable {
    var subscriptions: [UserSubscription]
    var tier: String?
    var units: Int?
    var resetDate: Date?
    var buckets: Set<Bucket>

    init(_ store: any Store, _ id: UUID) async throws {
        let user = try await store.user(id: id)
        tier = user?.subscriptionTier
        units = user?.computeUnitsRemaining
        resetDate = user?.computeUnitsResetDate
        buckets = Set(try await store.buckets(user: id))
        subscriptions = try await store.subscriptions(user: id, limit: 100, before: nil)
        for index in subscriptions.indices {
            subscriptions[index].id = id
            subscriptions[index].createdAt = .distantPast
            subscriptions[index].updatedAt = .distantPast
        }
    }
}

/// All that a delivery can change, but for the inbox.
struct BillingRows: Equatable, Sendable {
    var users: [User]
    var subscriptions: [UserSubscription]
    var plans: [SubscriptionPlan]
    var variants: [String: String]
    var ledger: [LedgerRecord]

    init(_ store: any Store) async throws {
        users = try await store.users(limit: 1000, before: nil)
        subscriptions = try await store.subscriptions(user: nil, limit: 1000, before: nil)
        plans = try await store.plans()
        variants = try await store.variants()
        ledger = []
        for user in users { ledger += try await store.ledger(user: user.id) }
    }
}

extension Date {
    /// Half an hour after the purchases of the scenarios.
    static let testNow = Date(timeIntervalSince1970: 1_791_799_200)
}
