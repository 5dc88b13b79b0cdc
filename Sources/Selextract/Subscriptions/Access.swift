public import Foundation

/// What decides whether a subscription gives access (R9): judged by the clock when read, even if nothing further is ever
/// heard of it.
public struct Access: Sendable, Hashable {
    /// As the provider spells it.
    public var status: String
    /// An operator gave the plan (R19): its status says nothing.
    public var isGranted: Bool
    public var currentPeriodEnd: Date
    /// When a cancelled or a granted one ends; nil: a cancelled one at its period's end, a granted one never.
    public var endsAt: Date?
    /// `free` or `void`; nil: it is not paused.
    public var pauseMode: String?
    public var pauseResumesAt: Date?

    public init(
        status: String, isGranted: Bool, currentPeriodEnd: Date, endsAt: Date?, pauseMode: String?,
        pauseResumesAt: Date?
    ) {
        self.status = status
        self.isGranted = isGranted
        self.currentPeriodEnd = currentPeriodEnd
        self.endsAt = endsAt
        self.pauseMode = pauseMode
        self.pauseResumesAt = pauseResumesAt
    }

    /// In a trial, active and past due it does; paused only in mode `free` or from `pauseResumesAt` on; cancelled before its
    /// end; any other status does not.
    public func isGiven(at moment: Date) -> Bool {
        if isGranted { return endsAt.map { moment < $0 } ?? true }
        return switch status {
        case "on_trial", "active", "past_due": true
        case "paused": pauseMode == "free" || (pauseResumesAt.map { $0 <= moment } ?? false)
        case "cancelled": moment < (endsAt ?? currentPeriodEnd)
        default: false
        }
    }
}
