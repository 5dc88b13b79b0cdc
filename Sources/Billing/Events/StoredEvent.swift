public import Foundation

/// An event of the inbox with what has become of it, as the rules need it.
public struct StoredEvent: Sendable, Hashable, Identifiable {
    public var event: BillingEvent
    public var isUndecodable: Bool
    public var outcome: Outcome
    /// Short and machine-readable (R2).
    public var reason: String?
    /// The account it counts for.
    public var userID: UUID?

    public var id: UUID { event.id }

    public init(event: BillingEvent, isUndecodable: Bool, outcome: Outcome, reason: String?, userID: UUID?) {
        self.event = event
        self.isUndecodable = isUndecodable
        self.outcome = outcome
        self.reason = reason
        self.userID = userID
    }

    var decision: EventDecision {
        EventDecision(eventID: id, outcome: outcome, reason: reason, userID: userID)
    }
}

/// What became of an event: what the inbox records, and what is answered to a delivery once that is durable.
public struct EventDecision: Sendable, Hashable {
    public var eventID: UUID
    public var outcome: Outcome
    /// Short and machine-readable (R2).
    public var reason: String?
    /// The account it counts for.
    public var userID: UUID?
    /// The same bytes were stored before: counted, and decided again only if they had failed or were put aside (R1,
    /// R4).
    public var isDuplicate: Bool

    /// The reason of an event that an operator has discarded: with the outcome `ignored`, and counting for nothing until it
    /// is decided again (R3).
    public static let discarded = "discarded"

    public static func isDiscarded(_ outcome: Outcome, _ reason: String?) -> Bool {
        outcome == .ignored && reason == discarded
    }

    public init(
        eventID: UUID, outcome: Outcome, reason: String?, userID: UUID? = nil, isDuplicate: Bool = false
    ) {
        self.eventID = eventID
        self.outcome = outcome
        self.reason = reason
        self.userID = userID
        self.isDuplicate = isDuplicate
    }
}
