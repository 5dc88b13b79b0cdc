import Accounts
import Billing
import Foundation
import Storage

extension Console {
    /// So many events one act takes at a time.
    private static let most = 200

    /// The events that are named, or the newest of a cause.
    private func events(_ values: FormValues) async throws -> (ids: [UUID], isCut: Bool, back: Link) {
        let texts = values.all("id")
        guard texts.isEmpty else {
            let ids = texts.compactMap(UUID.init(uuidString:))
            guard ids.count == texts.count, ids.count <= Self.most else {
                throw ConsoleMistake("Name from 1 to \(Self.most) events by their ids.")
            }
            return (ids, false, ids.count == 1 ? Link("events", ids[0].text) : Link("waiting"))
        }
        let filter = try EventFilter(values)
        guard let outcome = filter.outcome, outcome.waits else {
            throw ConsoleMistake("Name the events, or say which of those that wait.")
        }
        let found = try await store.primary.eventRecords(filter, limit: Self.most + 1, before: nil)
        guard !found.rows.isEmpty else { throw ConsoleMistake("Nothing waits for that any more.") }
        return (found.rows.prefix(Self.most).map(\.id), found.entries.count > Self.most, Link("waiting"))
    }

    private func confirm(
        _ act: String, _ values: FormValues, question: HTML, fields: HTML = "", _ verb: String, _ command: String
    ) async throws -> Confirmation {
        let (ids, isCut, back) = try await events(values)
        let number = count(ids.count, "event")
        let rest: HTML = isCut ? " More wait for the same: these are the newest." : ""
        let last = try await store.primary.lastAct(events: ids)
        return Confirmation(
            act: act, title: "\(verb) \(number)", command: command.replacing("ID", with: ids[0].text),
            question: "<p><b>\(number)</b>. \(question)\(rest)</p>", values: ids.map { ("id", $0.text) },
            fields: fields,
            button: "\(verb) \(number)", back: back,
            form: form(act, about: ids.map(\.text).sorted().joined(separator: " "), after: last))
    }

    func confirmRetry(_ values: FormValues) async throws -> Confirmation {
        try await confirm(
            "retry", values,
            question: "They are decided as if they had just come. Those that still lack something go on waiting.",
            "Decide again", "selextract-billing events retry ID")
    }

    func confirmDiscard(_ values: FormValues) async throws -> Confirmation {
        try await confirm(
            "discard", values,
            question: "They count for nothing from then on, until they are decided again. Their bytes stay.",
            fields: Confirmation.reason, "Discard", "selextract-billing events discard ID --reason TEXT")
    }

    func retry(_ values: FormValues, _ actor: Operator) async throws -> Page {
        let ids = try await named(values)
        let (events, _) = try await store.retry(events: ids, by: actor, policy: policy)
        let waiting = events.count { $0.outcome.waits }
        return changed(
            "Decided again: \(count(ids.count, "event"))",
            "\(count(events.count - waiting)) no longer wait\(events.count - waiting == 1 ? "s" : ""), \(count(waiting)) still \(waiting == 1 ? "does" : "do").",
            events,
            command: "selextract-billing events retry \(ids[0].text)")
    }

    func discard(_ values: FormValues, _ actor: Operator) async throws -> Page {
        let ids = try await named(values)
        let events = try await store.discard(events: ids, reason: try reason(in: values), by: actor, policy: policy)
        return changed(
            "Discarded: \(count(events.count, "event"))", "They count for nothing now.", events,
            command: "selextract-billing events discard \(ids[0].text) --reason TEXT")
    }

    /// What is sent names the events one by one: those that came after the page are not its.
    private func named(_ values: FormValues) async throws -> [UUID] {
        guard !values.all("id").isEmpty else { throw ConsoleMistake("Name the events by their ids.") }
        return try await events(values).ids
    }

    private func changed(_ title: String, _ text: HTML, _ events: [EventRecord], command: String) -> Page {
        var page = done(
            title, text, command: command, section: "waiting", links: [("What waits now", Link("waiting"))])
        page.content += eventTable(events.prefix(Self.pageLength))
        return page
    }
}
