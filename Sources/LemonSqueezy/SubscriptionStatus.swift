/// The status of a subscription, as the provider spells it. Open-ended: an unknown one is kept, and gives no access
/// (R9).
public struct SubscriptionStatus: RawRepresentable, ExpressibleByStringLiteral, Hashable, Sendable, Codable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral value: String) { self.init(rawValue: value) }

    public static let onTrial: SubscriptionStatus = "on_trial"
    public static let active: SubscriptionStatus = "active"
    public static let paused: SubscriptionStatus = "paused"
    public static let pastDue: SubscriptionStatus = "past_due"
    public static let unpaid: SubscriptionStatus = "unpaid"
    public static let cancelled: SubscriptionStatus = "cancelled"
    public static let expired: SubscriptionStatus = "expired"

    /// Whether the rules know what this status means; else the event is parked as `unknown_status` (R3).
    public var isKnown: Bool {
        switch self {
        case .onTrial, .active, .paused, .pastDue, .unpaid, .cancelled, .expired: true
        default: false
        }
    }

    /// The place of a snapshot among those of one second and one kind of event (R7): the order in which a subscription
    /// usually passes through the statuses. An unknown one ranks as `active` does.
    public var snapshotRank: Int {
        switch self {
        case .onTrial: 0
        case .pastDue: 1
        case .unpaid: 3
        case .paused: 4
        case .cancelled: 5
        case .expired: 6
        default: 2
        }
    }
}

extension SubscriptionStatus: CustomStringConvertible {
    public var description: String { rawValue }
}
