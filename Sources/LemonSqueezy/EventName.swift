/// The name of an event, `meta.event_name`. Open-ended: the provider adds names without notice, and each is stored.
///
/// What an event is about is told by its `data.type`, never by its name.
public struct EventName: RawRepresentable, ExpressibleByStringLiteral, Hashable, Sendable, Codable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral value: String) { self.init(rawValue: value) }

    public static let orderCreated: EventName = "order_created"
    public static let orderRefunded: EventName = "order_refunded"
    public static let subscriptionCreated: EventName = "subscription_created"
    public static let subscriptionUpdated: EventName = "subscription_updated"
    public static let subscriptionCancelled: EventName = "subscription_cancelled"
    public static let subscriptionResumed: EventName = "subscription_resumed"
    public static let subscriptionExpired: EventName = "subscription_expired"
    public static let subscriptionPaused: EventName = "subscription_paused"
    public static let subscriptionUnpaused: EventName = "subscription_unpaused"
    public static let subscriptionPlanChanged: EventName = "subscription_plan_changed"
    public static let subscriptionPaymentSuccess: EventName = "subscription_payment_success"
    public static let subscriptionPaymentFailed: EventName = "subscription_payment_failed"
    public static let subscriptionPaymentRecovered: EventName = "subscription_payment_recovered"
    public static let subscriptionPaymentRefunded: EventName = "subscription_payment_refunded"
    /// Ours, not the provider's: a row of another program that was taken over (R21).
    public static let subscriptionAdopted: EventName = "subscription_adopted"
    /// Ours, too: an object as the provider's API showed it (R21).
    public static let subscriptionObserved: EventName = "subscription_observed"
    public static let subscriptionInvoiceObserved: EventName = "subscription_invoice_observed"
    public static let orderObserved: EventName = "order_observed"
    public static let licenseKeyCreated: EventName = "license_key_created"
    public static let licenseKeyUpdated: EventName = "license_key_updated"
    public static let affiliateActivated: EventName = "affiliate_activated"
    public static let customerUpdated: EventName = "customer_updated"

    /// The place of a snapshot among those of the same `updated_at` and the same snapshot second (R7). An unknown name
    /// ranks as `subscription_updated` does.
    public var snapshotRank: Int {
        switch self {
        case .subscriptionCreated: 0
        case .subscriptionPlanChanged: 2
        case .subscriptionResumed, .subscriptionUnpaused: 3
        case .subscriptionPaused: 4
        case .subscriptionCancelled: 5
        case .subscriptionExpired: 6
        default: 1
        }
    }
}

extension EventName: CustomStringConvertible {
    public var description: String { rawValue }
}
