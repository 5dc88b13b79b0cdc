package import Billing
import Databases
package import Foundation

/// An event that is to be discarded or not, as it is stored.
package struct DiscardableEvent: Sendable {
    package var decision: EventDecision
    package var subscription: String?
}

extension StoreTransaction {
    /// What became of these events so far; locked until the transaction ends.
    package func lockEvents(_ ids: [UUID]) async throws -> [DiscardableEvent] {
        try await fetch(
            Query<DiscardableEvent>(
                """
                select id, outcome, reason, user_id, subscription_id from webhook_events
                where \("id", in: ids) order by arrival \(.locking)
                """
            ) { row in
                DiscardableEvent(
                    decision: EventDecision(
                        eventID: try row["id"], outcome: try row["outcome"], reason: try row["reason"],
                        userID: try row["user_id"]),
                    subscription: try row["subscription_id"])
            })
    }

    /// Discards events, with an operator's act for each (R3). The accounts are to be computed afterwards, from whole
    /// histories: a checkpoint may stand for one of the events.
    package func discard(_ events: [DiscardableEvent], reason: String, by operator: Operator) async throws {
        try await save(
            events.map {
                EventDecision(eventID: $0.decision.eventID, outcome: .ignored, reason: EventDecision.discarded)
            })
        try await record(
            events.map {
                RecordedAct(.discard, subscription: $0.subscription, event: $0.decision.eventID, reason: reason)
            }, by: `operator`)
    }
}
