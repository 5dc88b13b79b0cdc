import Billing
import Foundation
import Payloads

extension Case {
    /// Nothing but a subscription's creation, so that a test adds just what it is about.
    static func created(
        at start: String = "2026-10-12 09:30:04", renewsAt: String? = "2026-11-12 09:30:01", id: String = "910001",
        variant: String = "101"
    ) -> (Case, ProviderSubscription) {
        var subscription = ProviderSubscription(
            userID: user, createdAt: .utc(start), renewsAt: renewsAt.map(Date.utc))
        (subscription.id, subscription.variantID) = (id, variant)
        var account = Case()
        account.bodies = [subscription.event("subscription_created")]
        return (account, subscription)
    }

    /// A trial of starter, until `end`.
    static func trial(until end: String, id: String = "910001") -> (Case, ProviderSubscription) {
        var subscription = ProviderSubscription(
            userID: user, createdAt: .utc("2026-10-12 09:30:04"), renewsAt: .utc(end))
        (subscription.id, subscription.status, subscription.trialEndsAt) = (id, "on_trial", subscription.renewsAt)
        var account = Case()
        account.bodies = [subscription.event("subscription_created")]
        return (account, subscription)
    }

    /// The begins of a subscription's unlocked months, as far as they are known at a moment.
    func begins(of id: String = "910001", at moment: String) throws -> [String] {
        try state(at: moment).subscriptions.first { $0.id == id }?.buckets.map { $0.begin.formatted(.iso8601) } ?? []
    }

    func bucket(_ begin: String, of id: String = "910001", at moment: String) throws -> Bucket? {
        try state(at: moment).subscriptions.first { $0.id == id }?.buckets.first { $0.begin == .utc(begin) }
    }
}
