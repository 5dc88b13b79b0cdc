public import Billing
public import Foundation

/// An event of the inbox with what has become of it, as the rules need it.
public struct StoredEvent: Sendable, Hashable, Identifiable {
    public var event: BillingEvent
    public var isUndecodable: Bool
    public var outcome: Outcome
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
}

/// What the inbox says of an event that was just handed to it.
public struct Insertion: Sendable, Hashable {
    public var id: UUID
    public var isNew: Bool
    public var outcome: Outcome
    public var reason: String?

    public init(id: UUID, isNew: Bool, outcome: Outcome, reason: String?) {
        self.id = id
        self.isNew = isNew
        self.outcome = outcome
        self.reason = reason
    }
}
