import Accounts
import Billing
import Databases
import Foundation
import Selextract
import Storage

extension Console {
    func eventTable(_ events: some Collection<EventRecord>, marking here: UUID? = nil) -> HTML {
        let rows: [HTML] = events.map { event in
            let subscription: HTML =
                event.subscriptionID.map { "<a href=\"\(Link("subscriptions", $0))\">\($0)</a>" } ?? "–"
            let mark: HTML = event.id == here ? " class=\"here\"" : ""
            return """
                <tr\(mark)><td>\(time(event.receivedAt))</td>
                <td><a href="\(Link("events", event.id.text))">\(event.name ?? "event")</a></td>
                <td>\(subscription)</td><td>\(outcome(event.outcome))</td><td class="w">\(event.reason)</td></tr>
                """
        }
        return table(
            "Events", ["Received", "Event", "Subscription", "Outcome", .wide("Reason")], rows,
            empty: "There is no such event.", style: "stack")
    }

    func outcome(_ outcome: Outcome) -> HTML {
        "<span class=\"outcome \(outcome.rawValue)\">\(outcome.rawValue)</span>"
    }

    /// So many events a page looks at for a filter that no index answers.
    private static let lookedAt = 20_000

    /// Every filter is named as the option of `events list`, the cursor, too.
    func eventsPage(_ request: ConsoleRequest) async throws -> Page {
        var filter = try EventFilter(request.query)
        if let who = request.query["user"] { filter.userID = try await pages.user(named: who).id }
        let before = try request.query["before"].map(Cursor.init(text:))
        let looked = filter.isAnsweredByIndex ? nil : Self.lookedAt
        let found = try await pages.lists.eventRecords(
            filter, limit: Self.pageLength + 1, before: before, lookingAt: looked)
        let shown = Listing(Array(found.entries.prefix(Self.pageLength)))
        let options: [HTML] = Outcome.allCases.map { outcome in
            let mark: HTML = outcome == filter.outcome ? " selected" : ""
            return "<option\(mark)>\(outcome.rawValue)</option>"
        }
        func field(_ name: String, _ type: HTML = "text") -> HTML {
            """
            <label>\(name)<input type="\(type)" name="\(name)" value="\(request.query[name])" size="14"></label>
            """
        }
        var (older, way): (Link?, String) = (nil, "Older events")
        if found.entries.count > Self.pageLength, let last = shown.rows.last {
            older = filter.link("events").adding("before", Cursor(at: last.receivedAt, id: last.id).text)
        } else if let looked, let last = try await pages.lists.event(looked, before: before) {
            way = "Look at the \(count(looked)) events before \(utc(last.at))"
            older = filter.link("events").adding("before", last.text)
        }
        let unread: HTML =
            shown.unreadable.isEmpty ? "" : note("\(shown.unreadable.count) of these events cannot be read.", .bad)
        return Page(
            title: "Events", section: "events", command: "selextract-billing events list\(filter.options)",
            content: """
                <form class="row" role="search" aria-label="Events"><label>outcome<select name="outcome">
                <option value="">any</option>\(options)</select></label>\(field("reason"))\(field("name"))
                \(field("subscription", "search"))\(field("user"))\(field("variant"))\(field("store"))
                <button>Show</button></form>\(unread)\(eventTable(shown.rows))\(nextPage(way, older))
                """)
    }

    func eventPage(_ text: String, _ visitor: Visitor) async throws -> Page {
        guard let id = UUID(uuidString: text), let event = try await pages.eventRecord(id) else {
            throw StoreError.notFound("event “\(text)”")
        }
        let isWaiting = event.outcome.waits
        let remedy = event.reason.flatMap { ParkingReason(rawValue: String($0.prefix { $0 != ":" })) }
        let waits: HTML =
            if event.outcome == .parked, let remedy { note("It waits for \(remedy.remedy).", .warn) } else { "" }
        let can = visitor.role == .operator
        let discard: HTML =
            isWaiting ? "<a href=\"\(Link("acts", "discard", values: ["id": id.text]))\">Discard</a>" : ""
        let acts: HTML =
            can && (isWaiting || event.isDiscarded)
            ? """
            <p class="acts"><a href="\(Link("acts", "retry", values: ["id": id.text]))">Decide again</a>
            \(discard)</p>
            """ : ""
        let meaning = await part { try await self.meaning(of: event) }
        let neighbours = await part { try await self.neighbours(of: event) }
        let bytes = await part { try await self.bytes(of: event) }
        return Page(
            title: event.name ?? "Event", mark: "\(outcome(event.outcome)) <small>\(event.reason)</small>",
            section: "events", command: "selextract-billing events show \(id.text)",
            content: """
                \(waits)\(acts)<div class="two"><section><h2>What it says</h2>\(facts(of: event))</section>
                <section><h2>How it came</h2>\(arrival(of: event))</section></div>
                \(meaning)\(neighbours)\(bytes)
                """)
    }

    private func facts(of event: EventRecord) -> HTML {
        func account(_ id: UUID) -> HTML { "<a href=\"\(Link("accounts", id.text))\"><code>\(id.text)</code></a>" }
        return terms([
            "Account": event.userID.map(account) ?? "nobody’s yet",
            "Claimed": event.claimedUserID.flatMap { $0 == event.userID ? nil : account($0) },
            "Subscription": event.subscriptionID.map { "<a href=\"\(Link("subscriptions", $0))\">\($0)</a>" },
            "Object": event.dataID.map { "\(event.dataType ?? "object") \($0)" },
            "Buyer": event.email.map { "\($0)" }, "Customer": event.customerID.map { "\($0)" },
            "Variant": event.variantID.map { "\($0)" }, "Status": event.status.map { "\($0)" },
            "Store": event.storeID.map { "\($0)" }, "Mode": event.testMode.map { $0 ? "test" : "live" },
            "Provider’s time": event.sourceUpdatedAt.map { time($0) },
        ])
    }

    private func arrival(of event: EventRecord) -> HTML {
        var again: [HTML] = event.redeliveries.map { "<div>\(time($0.at)), \($0.origin)</div>" }
        let more = event.deliveries - 1 - again.count
        if more > 0 { again.append("<div>\(count(more)) more, the last \(time(event.lastReceivedAt))</div>") }
        return terms([
            "Id": "<code>\(event.id.text)</code>", "By": "\(event.source.rawValue)",
            "Received": time(event.receivedAt),
            "Deliveries": "\(count(event.deliveries))",
            "Again": again.isEmpty ? nil : "\(again)",
            "Secret": event.matchedSecret.map { "\($0)" } ?? "not signed",
            "Tries": event.attempts > 0 ? "\(event.attempts)" : nil,
            "Next try": event.nextAttemptAt.map { time($0) },
            "Erased": event.erasedAt.map { "\(time($0)): its facts are all there is" },
        ])
    }

    /// Which rules applied to it, and what it changed.
    private func meaning(of event: EventRecord) async throws -> HTML {
        var line: TimeLine?
        if let subscription = event.subscriptionID {
            line = try await timeLine(subscription: subscription)
        } else if let user = event.userID {
            line = try await timeLine(account: user)
        }
        let own = line?.items.first { item in
            if case .event(let record, _, _) = item.item { record.id == event.id } else { false }
        }
        let rules: [HTML] = (own?.item.rules ?? []).map { "<code>\($0)</code>" }
        let entries = try await pages.lists.ledger(event: event.id)
        let changes: [HTML] = entries.rows.map { record in
            let (entry, before) = (record.entry, record.entry.balance - record.entry.units)
            return """
                <tr><td>\(entry.kind.rawValue)</td><td class="n">\(count(entry.units))</td>
                <td class="n">\(count(before)) → \(count(entry.balance))</td><td class="w">\(entry.line.rawValue)</td>
                <td class="w">\(day(entry.begin))</td></tr>
                """
        }
        let none: HTML = rules.isEmpty ? "<p class=\"soft\">No rule reads it.</p>" : ""
        return """
            <h2>What it means</h2><ol class="line"><li>\(rules)</li></ol>\(none)
            <h2>What it changed</h2>\(table(
                "Ledger", ["Kind", .number("Units"), .number("Before → after"), .wide("Line"), .wide("Month from")],
                changes, empty: "Nothing in the ledger."))
            """
    }

    private func neighbours(of event: EventRecord) async throws -> HTML {
        guard let subscription = event.subscriptionID else { return "" }
        var filter = EventFilter()
        filter.subscriptionID = subscription
        let found = try await pages.lists.eventRecords(filter, limit: 20, before: nil)
        return """
            <h2>Its subscription’s events</h2>\(eventTable(found.rows, marking: event.id))
            <p class="pages"><a href="\(filter.link("events"))">All of subscription \(subscription)</a></p>
            """
    }

    private func bytes(of event: EventRecord) async throws -> HTML {
        guard event.erasedAt == nil, let body = try await pages.eventBody(event.id) else { return "" }
        let cut: HTML = body.count > Self.shownBytes ? "<p class=\"soft\">The first 64 KiB.</p>" : ""
        return """
            <h2>Its bytes</h2><p><a href="\(Link("events", event.id.text, "raw"))" download>Download
            \(count(body.count)) bytes</a> · to send them again:
            <code>selextract-billing events show \(event.id.text) --raw > event.json;
            selextract-billing replay event.json</code></p>\(cut)
            <pre tabindex="0" role="region" aria-label="The exact bytes as text">\(String(
                decoding: body.prefix(Self.shownBytes), as: UTF8.self))</pre>
            """
    }

    private static let shownBytes = 65_536

    /// The exact bytes, to be kept and never shown as a page.
    func raw(_ text: String) async throws -> ConsoleAnswer {
        guard let id = UUID(uuidString: text), let body = try await pages.eventBody(id) else {
            throw StoreError.notFound("event “\(text)”")
        }
        var answer = ConsoleAnswer(type: "application/octet-stream", body)
        answer.headers.append(("content-disposition", "attachment; filename=\"\(id.text).json\""))
        return answer
    }
}

extension Cursor {
    /// As `--before` has it: microseconds since 1970, a dot, the id.
    var text: String { "\(Int((at.timeIntervalSince1970 * 1_000_000).rounded())).\(id.text)" }

    /// - Throws: `ConsoleMistake`.
    init(text: String) throws {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let microseconds = Int(parts[0]), let id = UUID(uuidString: String(parts[1])) else {
            throw ConsoleMistake("No page begins at “\(text)”.")
        }
        self.init(at: Date(timeIntervalSince1970: Double(microseconds) / 1_000_000), id: id)
    }
}
