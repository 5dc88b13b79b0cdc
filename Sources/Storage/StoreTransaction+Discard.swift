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
        let at = try await now()
        try await save(
            events.map {
                EventDecision(eventID: $0.decision.eventID, outcome: .ignored, reason: EventDecision.discarded)
            })
        try await run(
            DiscardRow.table.insert(
                events.map {
                    DiscardRow(
                        event: $0.decision.eventID, subscription: $0.subscription, reason: reason, by: `operator`,
                        at: at)
                }))
    }
}

/// The act of discarding an event. It names no account, so that it stays when one is deleted.
private struct DiscardRow: Sendable {
    var event: UUID
    var subscription: String?
    var reason: String
    var by: Operator
    var at: Date

    static let table = Table<DiscardRow>(
        "operator_actions", key: ["id"],
        [
            Column("kind") { _ in OperatorRecord.Kind.discard }, Column("event_id", \.event),
            Column("subscription_id", \.subscription), Column("reason", \.reason), Column("acted_by", \.by.name),
            Column("acted_from", \.by.origin), Column("created_at", \.at),
        ])
}
