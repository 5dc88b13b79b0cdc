public import Billing
public import Foundation
public import LemonSqueezy

/// An authentic delivery: its exact bytes, and what proves it (R1).
public struct Delivery: Sendable, Hashable {
    public var body: [UInt8]
    /// The `X-Signature` that matched.
    public var signature: String
    public var matchedSecret: SecretMatch

    public init(body: [UInt8], signature: String, matchedSecret: SecretMatch) {
        self.body = body
        self.signature = signature
        self.matchedSecret = matchedSecret
    }
}

/// What is answered to a delivery, once it is durable.
public struct Receipt: Sendable, Hashable {
    public var eventID: UUID
    public var outcome: Outcome
    /// Short and machine-readable (R2).
    public var reason: String?
    /// The same bytes were stored before: counted, nothing else (R1).
    public var isDuplicate: Bool

    public init(eventID: UUID, outcome: Outcome, reason: String?, isDuplicate: Bool) {
        self.eventID = eventID
        self.outcome = outcome
        self.reason = reason
        self.isDuplicate = isDuplicate
    }
}
