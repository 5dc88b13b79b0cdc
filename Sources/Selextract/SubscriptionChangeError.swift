public import Foundation

/// Why a subscription was left as it is.
public enum SubscriptionChangeError: Error, Sendable, Hashable {
    /// It is the provider's: it is changed there, and its events tell us.
    case isProviders
    /// It has ended already, at this moment or with this status.
    case ended(status: String)
    /// A renewal must reach beyond the period's end and the present.
    case notLater(than: Date)
}

extension SubscriptionChangeError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .isProviders: "the subscription is Lemon Squeezy's and can only be changed there"
        case .ended(let status): "the subscription has ended (\(status))"
        case .notLater(let date): "the renewal must reach beyond \(ISOTime.text(from: date))"
        }
    }
}
