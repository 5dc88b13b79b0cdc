public import Foundation

extension UserSubscription {
    /// Whether the row tells of a subscription at the provider, which alone may change it.
    public var isProviders: Bool { lemonSqueezySubscriptionID != nil }

    /// Whether it gives access at `moment` (R9): in a trial, active and past due it does; paused only in mode `free` or
    /// from `pause_resumes_at` on; cancelled while `moment` is before its end; any other status does not.
    ///
    /// A row of another program that is to be cancelled at the period's end without having the status `cancelled` yet
    /// gives none from there on.
    public func isActive(at moment: Date) -> Bool {
        if source == .granted { return endsAt.map { moment < $0 } ?? true }
        return switch status {
        case "cancelled": moment < (endsAt ?? currentPeriodEnd)
        case "paused": pauseMode == "free" || (pauseResumesAt.map { $0 <= moment } ?? false)
        case "on_trial", "active", "past_due": isProviders || !cancelAtPeriodEnd || moment < currentPeriodEnd
        default: false
        }
    }

    /// Whether the provider may still take money for it, so that its account should not be deleted unasked (R20).
    public var isRunning: Bool {
        source == .provider && ["on_trial", "active", "past_due", "unpaid", "paused"].contains(status)
    }

    /// Days until `current_period_end`, when it renews: whole ones, a started day counts, so on the day before it is 1;
    /// 0 if that has passed. nil if it won't renew: it is cancelled, paused, unpaid, expired or of an unknown status.
    public func daysUntilRenewal(at moment: Date) -> Int? {
        guard ["on_trial", "active", "past_due"].contains(status), !cancelAtPeriodEnd else { return nil }
        let days = (currentPeriodEnd.timeIntervalSince(moment) / 86_400).rounded(.up)
        return Int(min(max(days, 0), Double(Int32.max)))
    }
}
