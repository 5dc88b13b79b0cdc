import Billing
import Foundation
import Storage

extension Console {
    private static let groupLength = 200

    func waitingPage(_ visitor: Visitor) async throws -> Page {
        let waiting = try await pages.lists.waiting(limit: Self.bound)
        let rows: [HTML] = waiting.groups.prefix(Self.groupLength).map { group in
            let filter = group.filter
            let acts: HTML =
                visitor.role == .operator
                ? """
                \(group.remedy)<a href="\(filter.link("acts", "retry"))">Decide again</a>
                <a href="\(filter.link("acts", "discard"))">Discard</a>
                """ : group.remedyIfSetting
            return """
                <tr><td>\(group.sentence(policy))<br><small>\(group.outcome.rawValue) · \(group.reason)</small></td>
                <td class="n" data-of="event\(group.events == 1 ? "" : "s")"><a href="\(filter.link("events"))">\(count(group.events))</a></td>
                <td class="n" data-of="account\(group.accounts == 1 ? "" : "s")">\(count(group.accounts))</td><td class="w">\(time(group.oldest))</td>
                <td><div class="acts">\(acts)</div></td></tr>
                """
        }
        let cut: HTML =
            waiting.isCut.isEmpty
            ? ""
            : note("More wait than are counted here: the newest \(count(Self.bound)) of each outcome.", .warn)
        let further: HTML =
            waiting.groups.count > Self.groupLength
            ? "<p class=\"soft\">The \(Self.groupLength) largest of \(count(waiting.groups.count)) causes.</p>" : ""
        return Page(
            title: "Waiting", section: "waiting", command: "selextract-billing events list --outcome parked",
            isLive: true,
            content: """
                <p class="soft">Events that change nothing yet, by what they wait for. What releases one of a cause
                releases all of it.</p>\(cut)
                \(table(
                    "What waits", ["Cause", .number("Events"), .number("Accounts"), .wide("Oldest"), "What releases them"],
                    rows, empty: "Nothing waits.", style: "stack"))\(further)
                <h2>Overdue renewals</h2>\(await part { try await self.overdue(visitor) })
                """)
    }

    /// Subscriptions that are active though nothing paid for them came (R17).
    private func overdue(_ visitor: Visitor) async throws -> HTML {
        let now = try await pages.lists.pulse().now
        let ids = try await pages.lists.overdueRenewals(
            at: now, grace: policy.renewalOverdueAfter, limit: Self.pageLength + 1)
        let rows: [HTML] = ids.prefix(Self.pageLength).map { id in
            """
            <tr><td><a href="\(Link("subscriptions", id))">\(id)</a></td>
            <td>\(visitor.role == .operator ? fetchLink(id) : "")</td></tr>
            """
        }
        let cut: HTML =
            ids.count > Self.pageLength ? "<p class=\"soft\">The \(Self.pageLength) that are overdue longest.</p>" : ""
        return """
            \(table(
                "Overdue renewals", ["Subscription", "What brings it"], rows,
                empty: "Every active subscription is paid for."))\(cut)
            """
    }
}

extension WaitingGroup {
    /// A viewer is told of settings, and shown no acts.
    fileprivate var remedyIfSetting: HTML { outcome == .quarantined ? remedy : "" }
}
