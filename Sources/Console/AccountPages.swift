import Accounts
import Billing
import Databases
import Foundation
import Selextract
import Storage

extension Console {
    /// By id, e-mail or a subscription's id; without a question the newest.
    func accounts(_ request: ConsoleRequest) async throws -> Page {
        let who = request.query["who"]
        var users: [User] = []
        if let who {
            if let id = UUID(uuidString: who) {
                users = [try await store.user(id: id)].compactMap(\.self)
            } else if who.allSatisfy(\.isNumber) {
                if let owner = try await store.subscription(who)?.userID {
                    users = [try await store.user(id: owner)].compactMap(\.self)
                }
            } else {
                users = try await store.users(email: who)
            }
        } else {
            users = try await store.lists.users(limit: 50, before: nil).rows
        }
        let rows: [HTML] = users.map { user in
            """
            <tr><td><a href="\(Link("accounts", user.id.uuidString.lowercased()))">\(user.email)</a></td>
            <td>\(user.fullName ?? "–")</td><td>\(user.subscriptionTier)</td>
            <td class="n">\(count(user.computeUnitsRemaining))</td><td>\(time(user.createdAt))</td></tr>
            """
        }
        return Page(
            title: "Accounts", section: "accounts", command: "selextract-billing users list",
            content: """
                <form class="row" role="search"><label>Id, e-mail or subscription<br>
                <input type="search" name="who" size="40" value="\(who)"></label><button>Search</button></form>
                \(table("Accounts", ["E-mail", "Name", "Plan", "<span class=\"n\">Units left</span>", "Created"], rows,
                    empty: "There is no such account."))
                """)
    }

    func account(_ who: String) async throws -> Page {
        let user = try await store.user(named: who)
        let line = try await TimeLine(account: user.id, store: store, policy: policy)
        return Page(
            title: user.email, section: "accounts",
            command: "selextract-billing explain \(user.id.uuidString.lowercased())",
            content: story(line))
    }

    func subscription(_ id: String, _ role: ConsoleRole) async throws -> Page {
        let line = try await TimeLine(subscription: id, store: store, policy: policy)
        let owner: HTML =
            line.user.map { "Of <a href=\"\(Link("accounts", $0.id.uuidString.lowercased()))\">\($0.email)</a>." }
            ?? "It belongs to no account yet."
        let act: HTML =
            role == .operator
            ? " <a href=\"\(Link("acts", "bind", values: ["subscription": id]))\">Bind to an account</a>" : ""
        return Page(
            title: "Subscription \(id)", section: "accounts", command: "selextract-billing explain \(id)",
            content: "<p>\(owner)\(act)</p>\(story(line))")
    }

    /// So many of the latest entries of a time line are shown.
    private static let lineLength = 200

    private func story(_ line: TimeLine) -> HTML {
        let entitlement: HTML =
            line.entitlement.map { entitlement in
                """
                <dl><dt>Plan</dt><dd>\(entitlement.planID)\(entitlement.hasAccess ? "" : ", no paid access")</dd>
                <dt>Units left</dt><dd>\(count(entitlement.computeUnitsRemaining))
                of \(count(entitlement.computeUnitsGranted))</dd>
                <dt>Until</dt><dd>\(time(entitlement.computeUnitsResetDate))</dd>
                <dt>Counts</dt><dd>\(entitlement.lemonSqueezySubscriptionID ?? "–")</dd></dl>
                """
            } ?? ""
        var notes: [HTML] = line.overdue.sorted().map {
            "<p class=\"note bad\">Renewal overdue: subscription \($0) is active, but its present month is not paid.</p>"
        }
        notes += line.waiting.map {
            "<p class=\"note\">\(count($1)) units of \($0) wait: another subscription counts.</p>"
        }
        if !line.unreadable.isEmpty {
            notes.append("<p class=\"note bad\">\(line.unreadable.count) rows cannot be read, and are left out.</p>")
        }
        let subscriptions: [HTML] = line.subscriptions.map { subscription in
            let name: HTML =
                subscription.lemonSqueezySubscriptionID.map { "<a href=\"\(Link("subscriptions", $0))\">\($0)</a>" }
                ?? "\(subscription.name)"
            return """
                <tr><td>\(name)</td><td>\(subscription.planID)</td><td>\(subscription.status)</td>
                <td>\(time(subscription.currentPeriodEnd))</td></tr>
                """
        }
        let months: [HTML] = line.buckets.sorted { $0.begin > $1.begin }.prefix(24).map { bucket in
            let total = max(bucket.granted + max(bucket.adjusted, 0), 1)
            let used = min(max(total - bucket.remaining, 0), total)
            let width = used * 260 / total
            return """
                <tr><td>\(time(bucket.begin))</td><td>\(bucket.line.rawValue)</td>
                <td><svg viewBox="0 0 260 10" preserveAspectRatio="none" aria-hidden="true"><rect class="left" width="260"
                height="10" rx="3"/><rect class="used" width="\(width)" height="10" rx="3"/></svg></td>
                <td>\(bucket.account)</td></tr>
                """
        }
        let items: [HTML] = line.items.suffix(Self.lineLength).reversed().map { at, item in
            let words: [HTML] = (item.rules + item.changes).map { "<code>\($0)</code>" }
            let title: HTML =
                if case .event(let record, _, _) = item {
                    "<a href=\"\(Link("events", record.id.uuidString.lowercased()))\">\(item.title)</a>"
                } else { "\(item.title)" }
            return "<li>\(time(at))<div>\(title)</div>\(words)</li>"
        }
        let cut: HTML =
            line.items.count > Self.lineLength
            ? "<p class=\"soft\">The latest \(Self.lineLength) of \(count(line.items.count)).</p>" : ""
        return """
            \(entitlement)\(notes)
            <h2>Subscriptions</h2>\(table(
                "Subscriptions", ["Subscription", "Plan", "Status", "Period ends"], subscriptions, empty: "None."))
            <h2>Months</h2>\(table("Months", ["From", "Line", "Used", "Units"], months, empty: "None."))
            <h2>Time line</h2>\(cut)<ol class="line">\(items)</ol>
            """
    }

    func plans() async throws -> Page {
        let (plans, variants) = (try await store.lists.plans(), try await store.lists.variants())
        let rows: [HTML] = plans.map { plan in
            let ids = variants.filter { $0.value == plan.id }.map(\.key).sorted { ($0.count, $0) < ($1.count, $1) }
            let cents = plan.priceCents % 100
            return """
                <tr><td>\(plan.id)</td><td>\(plan.name)</td>
                <td class="n">\(count(plan.priceCents / 100)).\(cents < 10 ? "0" : "")\(cents)</td>
                <td class="n">\(count(plan.monthlyComputeUnits))</td><td>\(plan.isActive ? "yes" : "no")</td>
                <td>\(ids.isEmpty ? "none" : ids.joined(separator: ", "))</td></tr>
                """
        }
        return Page(
            title: "Plans", section: "plans", command: "selextract-billing plans list",
            content: table(
                "Plans",
                [
                    "Plan", "Name", "<span class=\"n\">US dollars a month</span>",
                    "<span class=\"n\">Units a month</span>",
                    "Offered", "Variants",
                ], rows, empty: "There is no plan."))
    }
}
