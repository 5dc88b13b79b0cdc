import Foundation
import Payloads

extension ProviderSubscription {
    /// A delivery of a subscription that names no account, always the same bytes.
    static func strangersPurchase(_ id: Int, delivery number: Int) -> [UInt8] {
        var subscription = ProviderSubscription(
            userID: nil, createdAt: Date(timeIntervalSince1970: 1_791_799_200),
            renewsAt: Date(timeIntervalSince1970: 1_794_391_200))
        subscription.id = String(id)
        return subscription.event("subscription_created", delivery: number)
    }
}
