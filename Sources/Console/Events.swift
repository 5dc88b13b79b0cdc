import Accounts
import Billing
import Databases
import Foundation
import Selextract
import Storage

extension Console {
    private static let pageLength = 50

    func eventTable(_ events: [EventRecord]) -> HTML {
        let rows: [HTML] = events.map { event in
            let subscription: HTML =
                event.subscriptionID.map { "<a href=\"\(Link("subscriptions", $0))\">\($0)</a>" } ?? "–"
            return """
                <tr><td>\(time(event.receivedAt))</td>
                <td><a href="\(Link("events", event.id.uuidString.lowercased()))">\(event.name ?? "event")</a></td>
                <td>\(subscription)</td><td>\(outcome(event.outcome))</td><td>\(event.reason)</td></tr>
                """
        }
        return table(
            "Events", ["Received", "Event", "Subscription", "Outcome", "Reason"], rows, empty: "There is no such event."
        )
    }

    func outcome(_ outcome: Outcome) -> HTML {
        "<span class=\"outcome \(outcome.rawValue)\">\(outcome.rawValue)</span>"
    }

    /// Every filter is named as the option of `events list`.
    func events(_ request: ConsoleRequest) async throws -> Page {
        var filter = EventFilter()
        if let text = request.query["outcome"] {
            guard let outcome = Outcome(rawValue: text) else { throw ConsoleMistake("There is no such outcome.") }
            filter.outcome = outcome
        }
        filter.reason = request.query["reason"]
        filter.name = request.query["name"]
        filter.subscriptionID = request.query["subscription"]
        if let who = request.query["user"] { filter.userID = try await store.user(named: who).id }
        var before: Cursor?
        if let text = request.query["before"] {
            guard let id = UUID(uuidString: text), let event = try await store.eventRecord(id) else {
                throw ConsoleMistake("The page before has ended with an event that is gone.")
            }
            before = Cursor(at: event.receivedAt, id: id)
        }
        let found = try await store.lists.eventRecords(filter, limit: Self.pageLength + 1, before: before)
        let shown = Array(found.rows.prefix(Self.pageLength))
        let options: [HTML] = Outcome.allCases.map { outcome in
            let mark: HTML = outcome == filter.outcome ? " selected" : ""
            return "<option\(mark)>\(outcome.rawValue)</option>"
        }
        func field(_ name: String) -> HTML {
            "<label>\(name)<br><input name=\"\(name)\" value=\"\(request.query[name])\"></label>"
        }
        let older: HTML =
            if found.entries.count > Self.pageLength, let last = shown.last {
                """
                <p><br><a rel="next" href="\(Link(
                    "events",
                    values: [
                        "outcome": filter.outcome?.rawValue, "reason": filter.reason, "name": filter.name,
                        "subscription": filter.subscriptionID, "user": request.query["user"],
                        "before": last.id.uuidString,
                    ]))">Older events</a></p>
                """
            } else { "" }
        let unread: HTML =
            found.unreadable.isEmpty
            ? "" : "<p class=\"note bad\">\(found.unreadable.count) of these events cannot be read.</p>"
        return Page(
            title: "Events", section: "events", command: "selextract-billing events list",
            content: """
                <form class="row" role="search"><label>outcome<br><select name="outcome"><option value="">any</option>
                \(options)</select></label>\(field("reason"))\(field("name"))
                <label>subscription<br><input type="search" name="subscription" value="\(filter.subscriptionID)"></label>
                \(field("user"))<button>Show</button></form>\(unread)\(eventTable(shown))\(older)
                """)
    }

    func event(_ text: String, _ role: ConsoleRole) async throws -> Page {
        guard let id = UUID(uuidString: text), let event = try await store.eventRecord(id) else {
            throw StoreError.notFound("event “\(text)”")
        }
        let isWaiting = [.parked, .failed, .quarantined].contains(event.outcome)
        let remedy = event.reason.flatMap { ParkingReason(rawValue: String($0.prefix { $0 != ":" })) }
        let waits: HTML =
            if isWaiting, let remedy { "<p class=\"note\">It waits for \(remedy.remedy).</p>" } else { "" }
        let acts: HTML =
            isWaiting && role == .operator
            ? """
            <div class="acts">\(Cause(event).act)
            <form method="post" action="\(Link("acts", "retry"))"><input type="hidden" name="id" value="\(id.uuidString)">
            <button>Decide again</button></form>
            <form method="post" action="\(Link("acts", "discard"))"><input type="hidden" name="id" value="\(id.uuidString)">
            <button>Discard</button></form></div>
            """ : ""
        let body = try await store.eventBody(id) ?? []
        let account: HTML =
            event.userID.map {
                "<a href=\"\(Link("accounts", $0.uuidString.lowercased()))\">\($0.uuidString.lowercased())</a>"
            }
            ?? "nobody's yet"
        let subscription: HTML =
            event.subscriptionID.map { "<a href=\"\(Link("subscriptions", $0))\">\($0)</a>" } ?? "–"
        let shortID = id.uuidString.lowercased()
        return Page(
            title: event.name ?? "Event", section: "events", command: "selextract-billing events show \(shortID)",
            content: """
                <p>\(outcome(event.outcome)) \(event.reason)</p>\(waits)\(acts)
                <h2>What it says</h2>
                <dl><dt>Id</dt><dd><code>\(shortID)</code></dd><dt>Account</dt><dd>\(account)</dd>
                <dt>Subscription</dt><dd>\(subscription)</dd><dt>Buyer</dt><dd>\(event.email ?? "–")</dd>
                <dt>Variant</dt><dd>\(event.variantID ?? "–")</dd><dt>Status</dt><dd>\(event.status ?? "–")</dd>
                <dt>Store</dt><dd>\(event.storeID ?? "–")</dd>
                <dt>Mode</dt><dd>\(event.testMode.map { $0 ? "test" : "live" } ?? "–")</dd>
                <dt>Provider’s time</dt><dd>\(time(event.sourceUpdatedAt))</dd></dl>
                <h2>How it came</h2>
                <dl><dt>Received</dt><dd>\(time(event.receivedAt))</dd><dt>Last</dt><dd>\(time(event.lastReceivedAt))</dd>
                <dt>Deliveries</dt><dd>\(count(event.deliveries))</dd><dt>By</dt><dd>\(event.source.rawValue)</dd>
                <dt>Secret</dt><dd>\(event.matchedSecret ?? "–")</dd></dl>
                <h2>Its bytes</h2>
                <p><a href="\(Link("events", shortID, "raw"))" download>Download \(count(event.size)) bytes</a></p>
                <pre tabindex="0" aria-label="The exact bytes as text">\(String(decoding: body.prefix(65_536), as: UTF8.self))</pre>
                """)
    }

    /// The exact bytes, to be kept and never shown as a page.
    func raw(_ request: ConsoleRequest) async throws -> ConsoleAnswer {
        guard let id = UUID(uuidString: request.path[1]), let body = try await store.eventBody(id) else {
            throw StoreError.notFound("event “\(request.path[1])”")
        }
        var answer = ConsoleAnswer(type: "application/octet-stream", body)
        answer.headers.append(("content-disposition", "attachment; filename=\"\(id.uuidString.lowercased()).json\""))
        return answer
    }
}
