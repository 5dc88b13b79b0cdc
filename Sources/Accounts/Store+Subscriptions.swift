import Billing
import Databases
public import Foundation
public import Selextract
public import Storage

/// Subscriptions that are not the provider's. They are kept and shown, and give no units: those follow from what the
/// provider says (R10).
extension Store {
    /// Begins one now.
    ///
    /// - Throws: `StoreError.notFound` for the account or the plan; `.conflict` if `end` is not in the future.
    public func createSubscription(
        to plan: String, for user: UUID, until end: Date, id: UUID = UUID()
    ) async throws -> UserSubscription {
        try await transaction { transaction in
            guard try await transaction.lockAccount(user) != nil else {
                throw StoreError.notFound("account “\(user.text)”")
            }
            guard try await transaction.catalog().plans[plan] != nil else {
                throw StoreError.notFound("plan “\(plan)”")
            }
            let now = try await transaction.now()
            guard end > now else { throw StoreError.conflict("a subscription ends later than it begins") }
            return try await transaction.insert(
                UserSubscription(
                    id: id, userID: user, planID: plan, status: "active", currentPeriodStart: now,
                    currentPeriodEnd: end, createdAt: now))
        }
    }

    /// Cancels one at the end of its period.
    ///
    /// - Throws: `SubscriptionChangeError`; `StoreError.notFound`.
    @discardableResult
    public func cancelSubscription(_ id: UUID, of user: UUID) async throws -> UserSubscription {
        try await change(id, of: user) { subscription, moment in try subscription.cancel(at: moment) }
    }

    /// Begins the next period of one, until `end`.
    ///
    /// - Throws: `SubscriptionChangeError`; `StoreError.notFound`.
    @discardableResult
    public func renewSubscription(_ id: UUID, of user: UUID, until end: Date) async throws -> UserSubscription {
        try await change(id, of: user) { subscription, moment in try subscription.renew(until: end, at: moment) }
    }

    private func change(
        _ id: UUID, of user: UUID, _ change: @Sendable (inout UserSubscription, Date) throws -> Void
    ) async throws -> UserSubscription {
        try await transaction { transaction in
            guard var subscription = try await transaction.lockSubscription(id, of: user) else {
                throw StoreError.notFound("subscription “\(id.text)”")
            }
            try change(&subscription, try await transaction.now())
            return try await transaction.save(subscription)
        }
    }
}
