import Accounts
import Billing
import Databases
import Foundation
import Selextract
import Storage

extension Console {
    /// By id, e-mail or a subscription's id; without a question all, the newest first.
    func accountsPage(_ request: ConsoleRequest) async throws -> Page {
        var (users, older): ([User], Link?) = ([], nil)
        if let who = request.query["who"] {
            users = try await find(who)
        } else {
            let before = try request.query["before"].map(Cursor.init(text:))
            let found = try await pages.lists.users(limit: Self.pageLength + 1, before: before)
            users = Array(found.rows.prefix(Self.pageLength))
            if found.entries.count > Self.pageLength, let last = users.last {
                older = Link("accounts", values: ["before": Cursor(at: last.createdAt, id: last.id).text])
            }
        }
        let rows: [HTML] = users.map { user in
            let inactive: HTML = user.isActive ? "" : " <small>inactive</small>"
            return """
                <tr><td><a href="\(Link("accounts", user.id.text))">\(user.email)</a>\(inactive)</td>
                <td class="w">\(user.fullName ?? "–")</td><td>\(user.subscriptionTier)</td>
                <td class="n">\(count(user.computeUnitsRemaining))</td><td class="w">\(time(user.createdAt))</td></tr>
                """
        }
        return Page(
            title: "Accounts", section: "accounts", command: "selextract-billing users list",
            content: """
                <form class="row" role="search" aria-label="Accounts"><label>Id, e-mail or subscription
                <input class="long" type="search" name="who" value="\(request.query["who"])"></label>
                <button>Search</button></form>
                \(table(
                    "Accounts", ["E-mail", .wide("Name"), "Plan", .number("Units left"), .wide("Created")], rows,
                    empty: "There is no such account."))\(nextPage("Older accounts", older))
                """)
    }

    private func find(_ who: String) async throws -> [User] {
        if let id = UUID(uuidString: who) { return [try await pages.user(id: id)].compactMap(\.self) }
        let byEmail = try await pages.users(email: who)
        guard byEmail.isEmpty, let owner = try await pages.subscription(who)?.userID else { return byEmail }
        return [try await pages.user(id: owner)].compactMap(\.self)
    }

    func accountPage(_ who: String, _ visitor: Visitor) async throws -> Page {
        let user = try await pages.user(named: who)
        let line = try await timeLine(account: user.id)
        let keys = await part { try await self.keys(of: user.id, visitor) }
        let id = user.id.text
        let hasGrants = line.subscriptions.contains { $0.source == .granted && $0.status == "active" }
        let endGrants: HTML =
            hasGrants ? "<a href=\"\(Link("acts", "end-grants", values: ["who": id]))\">End granted plans</a>" : ""
        let acts: HTML =
            visitor.role == .operator
            ? """
            <p class="acts"><a href="\(Link("acts", "adjust", values: ["who": id]))">Adjust units</a>
            <a href="\(Link("acts", "grant", values: ["who": id]))">Grant a plan</a>
            \(endGrants)</p>
            """ : ""
        let name: HTML = user.fullName.map { "\($0) · " } ?? ""
        let inactive: HTML = user.isActive ? "" : note("The account is inactive: its keys open nothing.", .bad)
        return Page(
            title: user.email, mark: "<small>\(name)\(id)</small>", section: "accounts",
            command: "selextract-billing explain \(id)",
            content: """
                \(inactive)\(entitlement(line))\(acts)\(notes(line))
                <div class="two"><section><h2>Subscriptions</h2>\(subscriptions(line))</section>
                <section><h2>API keys</h2>\(keys)</section></div>
                <h2>Months</h2>\(months(line))
                <h2>Time line</h2>\(story(line))
                <p class="pages"><a href="\(Link("accounts", id, "ledger"))">The whole ledger</a></p>
                """)
    }

    private func entitlement(_ line: TimeLine) -> HTML {
        guard let entitlement = line.entitlement else { return "" }
        return """
            <ul class="tiles"><li><span><small>plan</small><b>\(entitlement.planID)</b>
            <small>\(entitlement.hasAccess ? entitlement.status ?? "granted" : "no paid access")</small></span></li>
            <li><span><small>units left</small><b>\(count(entitlement.computeUnitsRemaining))</b>
            <small>of \(count(entitlement.computeUnitsGranted)) this month</small></span></li>
            <li><span><small>until</small><b>\(relative(entitlement.computeUnitsResetDate, now: PageTime.now))</b>
            <small>\(utc(entitlement.computeUnitsResetDate))</small></span></li></ul>
            """
    }

    private func keys(of user: UUID, _ visitor: Visitor) async throws -> HTML {
        let keys = try await pages.keys(user: user, limit: 20, before: nil)
        let rows: [HTML] = keys.rows.map { key in
            let act: HTML =
                key.isActive && visitor.role == .operator
                ? "<a href=\"\(Link("acts", "revoke", values: ["key": key.id.text, "who": user.text]))\">Revoke</a>"
                : key.isActive ? "valid" : "revoked"
            return """
                <tr><td>\(key.name)</td><td><code>\(key.keyPrefix)…</code></td>
                <td>\(key.lastUsedAt.map { time($0) } ?? "never used")</td><td>\(act)</td></tr>
                """
        }
        return table("API keys", ["Name", "Begins", "Last used", "State"], rows, empty: "None.")
    }

    /// The ledger, newest first, by pages of its own.
    func ledgerPage(_ who: String, _ request: ConsoleRequest) async throws -> Page {
        let user = try await pages.user(named: who)
        let before = try request.query["before"].map { text in
            guard let id = Int(text) else { throw ConsoleMistake("No page begins at “\(text)”.") }
            return id
        }
        let length = 100
        let found = try await pages.ledger(user: user.id, limit: length + 1, before: before)
        let shown = found.rows.prefix(length)
        let rows: [HTML] = shown.map { record in
            let entry = record.entry
            let cause: HTML =
                if let event = entry.eventID {
                    "<a href=\"\(Link("events", event.text))\">event</a>"
                } else if let task = entry.taskID { "task <code>\(task.text)</code>" } else { "\(entry.reason)" }
            return """
                <tr><td>\(time(record.createdAt))</td><td>\(entry.kind.rawValue)</td>
                <td class="n">\(count(entry.units))</td><td class="n">\(count(entry.balance))</td>
                <td class="w">\(entry.line.rawValue)</td><td class="w">\(cause)</td></tr>
                """
        }
        let older =
            found.entries.count > length
            ? shown.last.map { Link("accounts", user.id.text, "ledger", values: ["before": String($0.id)]) } : nil
        return Page(
            title: "Ledger of \(user.email)", section: "accounts",
            command: "selextract-billing users show \(user.id.text)",
            content: """
                <p><a href="\(Link("accounts", user.id.text))">The account</a></p>
                \(table(
                    "Ledger", ["When", "Kind", .number("Units"), .number("Balance"), .wide("Line"), .wide("Cause")], rows,
                    empty: "Nothing is in it."))\(nextPage("Older entries", older))
                """)
    }
}
