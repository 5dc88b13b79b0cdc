import Billing
import Foundation

/// An event whose columns are not what its bytes say now, and what about it.
struct ReadAgain {
    var id: UUID
    var event: InboxEvent
    /// For people.
    var difference: String
}

extension [ReadAgain] {
    var ids: [UUID] { map(\.id) }
}

extension Fold {
    /// Reads stored events again from their bytes, with what this version reads in them, and saves what differs. What was
    /// quarantined is judged by the settings of now; what was accepted once stays accepted (R4). What was erased has no
    /// bytes any more, and stays as it is.
    @discardableResult
    func readAgain(_ rows: [InboxRow]) async throws -> [ReadAgain] {
        let acceptance = try await inForce().policy.acceptance
        let changed = rows.compactMap { row -> ReadAgain? in
            guard !row.isErased else { return nil }
            let event = InboxEvent(row.delivery)
            if row.outcome == .quarantined {
                let judged = event.judged(by: acceptance)
                guard judged.outcome != .quarantined else { return nil }
                return ReadAgain(id: row.id, event: judged, difference: "it is accepted by the settings of now")
            }
            let read = event.billingEvent(id: row.id)
            if event.kind != row.kind {
                return ReadAgain(
                    id: row.id, event: event,
                    difference: "its bytes are read as \(event.kind.rawValue), its columns as \(row.kind.rawValue)")
            }
            guard read != row.event else { return nil }
            let what = row.event.flatMap { stored in read.map { differingFields(stored, $0) } } ?? []
            return ReadAgain(
                id: row.id, event: event,
                difference: "its bytes say something else"
                    + (what.isEmpty ? "" : ": \(what.joined(separator: ", "))"))
        }
        if !changed.isEmpty {
            try await transaction.redecode(Dictionary(uniqueKeysWithValues: changed.map { ($0.id, $0.event) }))
        }
        return changed
    }
}

/// The names of the stored properties, at any depth, in which two values of a type differ.
func differingFields(_ left: Any, _ right: Any) -> [String] {
    let pairs = zip(Mirror(reflecting: left).children, Mirror(reflecting: right).children)
    return pairs.flatMap { left, right -> [String] in
        guard "\(left.value)" != "\(right.value)" else { return [] }
        let deeper = differingFields(left.value, right.value)
        return deeper.isEmpty ? [left.label ?? "?"] : deeper
    }
}
