public import Foundation

/// Deliveries that are stored together, told apart: what is new, what was stored before, and what is to be decided (R1,
/// R4).
public struct DeliveryBatch: Sendable {
    /// What the inbox has of the same bytes.
    public struct Known: Sendable, Hashable {
        public var digest: [UInt8]
        public var decision: EventDecision
        /// How often it failed.
        public var attempts: Int
        /// What is personal was removed from it (R20).
        public var isErased: Bool

        public init(digest: [UInt8], decision: EventDecision, attempts: Int, isErased: Bool = false) {
            self.digest = digest
            self.decision = decision
            self.attempts = attempts
            self.isErased = isErased
        }
    }

    /// An event that is stored now, once, however often it came.
    public struct New: Sendable, Hashable {
        public var id: UUID
        public var event: InboxEvent
        /// How each further one came (``Redelivery/origin``).
        public var again: [String] = []

        public init(id: UUID, event: InboxEvent) {
            self.id = id
            self.event = event
        }

        public var deliveries: Int { 1 + again.count }
    }

    /// A stored event that came again.
    public struct Repeated: Sendable, Hashable {
        public var id: UUID
        /// How each came (``Redelivery/origin``).
        public var again: [String]
        /// It is to be tried again: how often it failed before; nil otherwise.
        public var failures: Int?

        public var deliveries: Int { again.count }
    }

    public private(set) var new: [New] = []
    public private(set) var repeated: [Repeated] = []
    /// Stored events that were quarantined and are accepted now, decoded again (R4).
    public private(set) var accepted: [UUID: InboxEvent] = [:]
    /// Events to be decided together with accounts, in the order they came, each once.
    public private(set) var arrivals: [UUID] = []
    /// One for each event as it came, before accounts are looked at.
    private var preliminary: [EventDecision] = []

    /// - Parameters:
    ///   - events: already judged by the settings in force.
    ///   - known: what the inbox has of these bytes.
    ///   - id: makes the id of a new event.
    public init(_ events: [InboxEvent], known: [Known], id: () -> UUID) {
        let known = Dictionary(known.map { ($0.digest, $0) }) { first, _ in first }
        var places: [[UInt8]: (decision: EventDecision, isNew: Bool, index: Int)] = [:]
        for event in events {
            if let place = places[event.digest] {
                if place.isNew {
                    new[place.index].again.append(event.delivery.origin)
                } else {
                    repeated[place.index].again.append(event.delivery.origin)
                }
                preliminary.append(Self.duplicate(place.decision))
            } else if let stored = known[event.digest] {
                places[event.digest] = (stored.decision, false, repeated.count)
                add(event, stored)
            } else {
                let added = New(id: id(), event: event)
                let decision = EventDecision(eventID: added.id, outcome: event.outcome, reason: event.reason)
                places[event.digest] = (decision, true, new.count)
                new.append(added)
                preliminary.append(decision)
                if event.concernsAccounts { arrivals.append(added.id) }
            }
        }
    }

    /// An event that was stored before. What was quarantined may be accepted by now: a resend is judged anew, unless it was
    /// erased, for that stays so.
    private mutating func add(_ event: InboxEvent, _ stored: Known) {
        let id = stored.decision.eventID
        let hadFailed = stored.decision.outcome == .failed
        let isAccepted =
            stored.decision.outcome == .quarantined && event.outcome != .quarantined && !stored.isErased
        let fails = event.outcome == .failed && (hadFailed || isAccepted)
        repeated.append(
            Repeated(id: id, again: [event.delivery.origin], failures: fails ? stored.attempts : nil))
        preliminary.append(Self.duplicate(stored.decision))
        if isAccepted { accepted[id] = event }
        if event.concernsAccounts, isAccepted || hadFailed { arrivals.append(id) }
    }

    private static func duplicate(_ decision: EventDecision) -> EventDecision {
        EventDecision(
            eventID: decision.eventID, outcome: decision.outcome, reason: decision.reason, userID: decision.userID,
            isDuplicate: true)
    }

    /// What the rules read of the events that the database does not hold yet, or holds as quarantined.
    public var unstored: [StoredEvent] {
        let events = new.map { ($0.id, $0.event) } + accepted.map { ($0.key, $0.value) }
        return events.compactMap { id, event in
            guard event.concernsAccounts, let read = event.billingEvent(id: id) else { return nil }
            return StoredEvent(
                event: read, isUndecodable: false, outcome: event.outcome, reason: event.reason, userID: nil)
        }
    }

    /// What is answered, one for each event as it came.
    ///
    /// - Parameter decided: by event.
    public func decisions(_ decided: [UUID: EventDecision]) -> [EventDecision] {
        preliminary.map { first in
            var decision = first
            if let final = decided[first.eventID] {
                (decision.outcome, decision.reason, decision.userID) = (final.outcome, final.reason, final.userID)
            } else if let event = accepted[first.eventID] {
                (decision.outcome, decision.reason) = (event.outcome, event.reason)
            }
            return decision
        }
    }
}

/// When a failed event is tried again (R2).
public enum RetryDelay {
    /// A minute after the first failure, each time twice as long, an hour at most, in seconds.
    ///
    /// - Parameter failures: how often it had failed before.
    public static func after(failures: Int) -> TimeInterval { Double(min(1 << min(max(failures, 0), 6), 60)) * 60 }

    /// The reason of an event that failed because another transaction held its account: nothing is wrong with it.
    public static let heldReason = "busy"
    /// Why an event failed at which the fold itself failed.
    public static let faultReason = "internal_error"

    /// Of the first attempt, in seconds: what is held is free again soon.
    ///
    /// - Parameter reason: why it failed.
    public static func first(reason: String?) -> TimeInterval { reason == heldReason ? 5 : after(failures: 0) }
}
