import Accounts
import Billing
import Databases
import Foundation
import Storage

extension Console {
    /// Who did what, when and from where, at the console and on the command line.
    func actionsPage(_ request: ConsoleRequest) async throws -> Page {
        let before = try request.query["before"].map(Cursor.init(text:))
        let found = try await pages.lists.acts(limit: Self.pageLength + 1, before: before)
        let shown = found.rows.prefix(Self.pageLength)
        let rows: [HTML] = shown.map { act in
            let about: HTML =
                if let user = act.user {
                    "<a href=\"\(Link("accounts", user.text))\">account</a>"
                } else if let event = act.event {
                    "<a href=\"\(Link("events", event.text))\">event</a>"
                } else if let subscription = act.subscription {
                    "<a href=\"\(Link("subscriptions", subscription))\">subscription</a>"
                } else { "–" }
            return """
                <tr><td>\(time(act.at))</td><td>\(act.kind.rawValue)</td><td>\(act.what)</td><td>\(about)</td>
                <td>\(act.by?.name ?? "the rules")</td><td class="w">\(act.by?.origin ?? "–")</td></tr>
                """
        }
        let older =
            found.entries.count > Self.pageLength
            ? shown.last.map { Link("actions", values: ["before": Cursor(at: $0.at, id: $0.id).text]) } : nil
        return Page(
            title: "Actions", section: "actions",
            content: """
                <p class="soft">What operators did, here and on the command line. Nothing is ever taken from this list,
                but with the account that it is about.</p>
                \(table(
                    "Actions", ["When", "Act", "What", "About", "Who", .wide("From where")], rows,
                    empty: "Nobody has done anything yet."))\(nextPage("Older actions", older))
                """)
    }
}

extension OperatorRecord {
    /// In a line, without who did it.
    fileprivate var what: String {
        var act = self
        act.by = nil
        return act.title
    }
}
