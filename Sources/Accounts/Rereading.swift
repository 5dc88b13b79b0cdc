import Billing
import Foundation
import Storage

/// An event whose columns are not what its bytes say now, and what about it.
struct RereadEvent: Sendable {
    var id: UUID
    var event: InboxEvent
    /// For people.
    var difference: String
}

extension [RereadEvent] {
    var ids: [UUID] { map(\.id) }
}

extension StoreTransaction {
    /// Reads stored events again from their bytes, with what this version reads in them, and saves what differs. What
    /// was quarantined is judged by these settings; what was accepted once stays accepted (R4). What was erased has no
    /// bytes any more, and stays as it is.
    ///
    /// - Parameter takingBack: whether what was discarded counts again; else it stays discarded (R3).
    @discardableResult
    func reread(
        _ rows: [InboxRow], _ acceptance: Acceptance, takingBack: Bool = false
    ) async throws -> [RereadEvent] {
        let changed = rows.compactMap { $0.reread(acceptance, takingBack: takingBack) }
        if !changed.isEmpty {
            try await redecode(Dictionary(uniqueKeysWithValues: changed.map { ($0.id, $0.event) }))
        }
        return changed
    }
}

extension InboxRow {
    /// nil: its columns say what its bytes say.
    fileprivate func reread(_ acceptance: Acceptance, takingBack: Bool) -> RereadEvent? {
        guard !isErased else { return nil }
        let event = InboxEvent(delivery)
        if isDiscarded {
            guard takingBack else { return nil }
            return RereadEvent(id: id, event: event.judged(by: acceptance), difference: "it is not discarded any more")
        }
        if outcome == .quarantined {
            let judged = event.judged(by: acceptance)
            guard judged.outcome != .quarantined else { return nil }
            return RereadEvent(id: id, event: judged, difference: "it is accepted by the settings of now")
        }
        let read = event.billingEvent(id: id)
        if event.kind != kind {
            return RereadEvent(
                id: id, event: event,
                difference: "its bytes are read as \(event.kind.rawValue), its columns as \(kind.rawValue)")
        }
        guard read != self.event else { return nil }
        let what = self.event.flatMap { stored in read.map { differingFields(stored, $0) } } ?? []
        return RereadEvent(
            id: id, event: event,
            difference: "its bytes say something else" + (what.isEmpty ? "" : ": \(what.joined(separator: ", "))"))
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
