import Accounts
import Billing
import Databases
import Foundation
import Selextract
import Storage

// What account and subscription pages show of a time line.

extension Console {
    /// So many of the latest entries are shown, of the ledger and of the time line.
    static let lineLength = 100
    private static let monthLength = 24

    /// How long a page waits for a time line, and for each of its statements.
    private var limits: TransactionLimits { TransactionLimits(deadline: .now + .seconds(4), statement: .seconds(2)) }

    func timeLine(account: UUID) async throws -> TimeLine {
        try await TimeLine(account: account, store: pages, policy: policy, latest: Self.lineLength, limits: limits)
    }

    func timeLine(subscription: String) async throws -> TimeLine {
        try await TimeLine(
            subscription: subscription, store: pages, policy: policy, latest: Self.lineLength, limits: limits)
    }

    func notes(_ line: TimeLine) -> HTML {
        var notes: [HTML] = line.overdue.sorted().map {
            note("Renewal overdue (R17): subscription \($0) is active, but its present month is not paid.", .bad)
        }
        notes += line.waiting.map {
            note("Two are paid (R14): another subscription counts, and \(count($1)) units of \($0) wait.")
        }
        notes += line.doublings.map { record in
            note(
                """
                Given twice? Another program gave \(count(record.entry.units)) units at \(utc(record.createdAt)), right
                beside an event that gives them.
                """, .warn)
        }
        if !line.unreadable.isEmpty {
            notes.append(note("\(line.unreadable.count) rows cannot be read, and are left out.", .bad))
        }
        return "\(notes)"
    }

    func subscriptions(_ line: TimeLine) -> HTML {
        let rows: [HTML] = line.subscriptions.map { subscription in
            let id = subscription.lemonSqueezySubscriptionID
            let name: HTML =
                id.map { "<a href=\"\(Link("subscriptions", $0))\">\($0)</a>" } ?? "\(subscription.name)"
            let counts = line.entitlement.map {
                $0.hasAccess && (id == nil ? $0.lemonSqueezySubscriptionID == nil : $0.lemonSqueezySubscriptionID == id)
            }
            return """
                <tr><td>\(name)</td><td>\(subscription.planID)</td><td>\(subscription.status)</td>
                <td>\(time(subscription.currentPeriodEnd))</td><td>\(counts == true ? "counts" : "–")</td></tr>
                """
        }
        return table(
            "Subscriptions", ["Subscription", "Plan", "Status", "Period ends", "Now"], rows, empty: "None.")
    }

    func months(_ line: TimeLine) -> HTML {
        let all = line.buckets.sorted { ($0.begin, $0.line.rawValue) > ($1.begin, $1.line.rawValue) }
        let rows: [HTML] = all.prefix(Self.monthLength).map { bucket in
            """
            <tr><td class="d">\(day(bucket.begin))</td><td>\(monthBar(bucket))</td><td class="n">\(count(bucket.shown))</td>
            <td class="w">\(bucket.line.rawValue)</td><td class="w">\(bucket.account)</td></tr>
            """
        }
        let cut: HTML =
            all.count > Self.monthLength
            ? "<p class=\"soft\">The latest \(Self.monthLength) of \(count(all.count)).</p>" : ""
        return """
            \(rows.isEmpty ? "" : key([(0, "used"), (1, "left")]))
            \(table(
                "Months", ["From", "Used", .number("Left"), .wide("Line"), .wide("How it adds up")], rows, empty: "None."))
            \(cut)
            """
    }

    func story(_ line: TimeLine) -> HTML {
        let items: [HTML] = line.items.suffix(Self.lineLength).reversed().map { at, item in
            let rules: [HTML] = item.rules.map { "<code>\($0)</code>" }
            let changes: [HTML] = item.changes.map { "<code class=\"change\">\($0)</code>" }
            let title: HTML =
                if case .event(let record, _, _) = item {
                    "<a href=\"\(Link("events", record.id.text))\">\(item.title)</a>"
                } else { "\(item.title)" }
            return "<li>\(time(at))<div>\(title)</div>\(rules)\(changes)</li>"
        }
        let isCut = line.isCut || line.items.count > Self.lineLength
        let cut: HTML = isCut ? "<p class=\"soft\">The latest; older entries are left out.</p>" : ""
        return items.isEmpty ? "<p class=\"soft\">Nothing has come yet.</p>" : "\(cut)<ol class=\"line\">\(items)</ol>"
    }
}
