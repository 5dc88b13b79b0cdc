/// What became of an event (R2). The raw values are what the inbox stores and the answer to a delivery says.
public enum Outcome: String, Sendable, Hashable, CaseIterable, Codable {
    case applied, unchanged, parked, ignored, quarantined, rejected, failed

    /// Those of events that may still count: what they lack may come, or an operator may decide otherwise.
    public static let waiting: [Outcome] = [.parked, .quarantined, .failed]

    public var waits: Bool { Self.waiting.contains(self) }
}

/// Why an event waits (R3).
public enum ParkingReason: String, Sendable, Hashable, CaseIterable {
    case unknownAccount = "unknown_account"
    case ambiguousAccount = "ambiguous_account"
    case unknownPlan = "unknown_plan"
    case unknownSubscription = "unknown_subscription"
    case unknownStatus = "unknown_status"
    case undecodable
    /// Dated more than an hour after the database's now.
    case aheadOfTime = "ahead_of_time"
}
