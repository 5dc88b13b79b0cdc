public import Foundation

// For subscriptions that an operator or another program made. Lemon Squeezy's are changed there.
extension UserSubscription {
    /// Cancels it at the end of its period; it gives access until then. Cancelling it again changes nothing.
    ///
    /// - Throws: `SubscriptionChangeError.isProviders`, or `.ended` if it has no access that could end.
    public mutating func cancel(at moment: Date) throws(SubscriptionChangeError) {
        guard !isProviders else { throw .isProviders }
        guard isActive(at: moment) || status == "paused" else { throw .ended(status: status) }
        guard status != "cancelled" else { return }
        status = "cancelled"
        endsAt = currentPeriodEnd
        // R8: cancelled and not ended.
        cancelAtPeriodEnd = moment < currentPeriodEnd
        updatedAt = moment
    }

    /// Begins its next period, until `end`; also if it was cancelled, paused or has ended. The period begins where the
    /// last one ended, or at `moment` if there was a gap.
    ///
    /// - Throws: `SubscriptionChangeError.isProviders`, or `.notLater` if `end` is not later than the present period's end
    ///   and `moment`.
    public mutating func renew(until end: Date, at moment: Date) throws(SubscriptionChangeError) {
        guard !isProviders else { throw .isProviders }
        let earliest = max(currentPeriodEnd, moment)
        guard end > earliest else { throw .notLater(than: earliest) }
        status = "active"
        currentPeriodStart = earliest
        currentPeriodEnd = end
        cancelAtPeriodEnd = false
        (renewsAt, endsAt, pauseMode, pauseResumesAt) = (nil, nil, nil, nil)
        updatedAt = moment
    }
}

/// Why a subscription was left as it is.
public enum SubscriptionChangeError: Error, Sendable, Hashable {
    /// It is a subscription at the provider, and can only be changed there.
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
