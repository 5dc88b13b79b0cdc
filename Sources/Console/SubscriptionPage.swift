import Accounts
import Billing
import Databases
import Foundation
import Selextract
import Storage

extension Console {
    func subscriptionPage(_ id: String, _ visitor: Visitor) async throws -> Page {
        let line = try await timeLine(subscription: id)
        let owner: HTML =
            line.user.map { "It is <a href=\"\(Link("accounts", $0.id.text))\">\($0.email)</a>’s." }
            ?? "It belongs to no account yet."
        let act: HTML =
            visitor.role == .operator
            ? """
            <p class="acts"><a href="\(Link("acts", "bind", values: ["subscription": id]))">Bind to an account</a>
            \(fetchLink(id))</p>
            """ : ""
        let row = line.subscriptions.first { $0.lemonSqueezySubscriptionID == id }
        let history = await part { try await self.history(of: id) }
        let invoices = await part { try await self.invoices(of: id) }
        return Page(
            title: "Subscription \(id)", mark: row.map { "<small>\($0.status)</small>" } ?? "", section: "accounts",
            command: "selextract-billing explain \(id.shellWord)",
            content: """
                <p>\(owner)</p>\(act)\(notes(line))
                <div class="two"><section><h2>At present</h2>\(row.map(snapshot) ?? "<p class=\"soft\">Nothing counts yet.</p>")
                </section><section><h2>Invoices</h2>\(invoices)</section></div>
                <h2>Months</h2>\(months(line))
                <h2>Its events</h2>\(history)
                <h2>Time line</h2>\(story(line))
                """)
    }

    /// Nothing, if there is no key to fetch it by.
    func fetchLink(_ id: String) -> HTML {
        surroundings.provider == nil
            ? "" : "<a href=\"\(Link("acts", "fetch", values: ["subscription": id]))\">Fetch now</a>"
    }

    private func snapshot(_ row: UserSubscription) -> HTML {
        terms([
            "Plan": "\(row.planID)", "Status": "\(row.status)", "Variant": row.lemonSqueezyVariantID.map { "\($0)" },
            "Customer": row.lemonSqueezyCustomerID.map { "\($0)" },
            "Period": "\(utc(row.currentPeriodStart)) to \(utc(row.currentPeriodEnd))",
            "Renews": row.renewsAt.map { time($0) }, "Ends": row.endsAt.map { time($0) },
            "Trial ends": row.trialEndsAt.map { time($0) },
            "Paused": row.pauseMode.map { mode in
                "\(mode)\(row.pauseResumesAt.map { ", until \(utc($0))" as HTML } ?? "")"
            },
            "Provider’s time": row.sourceUpdatedAt.map { time($0) },
        ])
    }

    private func history(of id: String) async throws -> HTML {
        var filter = EventFilter()
        filter.subscriptionID = id
        let found = try await pages.lists.eventRecords(filter, limit: Self.pageLength + 1, before: nil)
        let all: HTML =
            found.entries.count > Self.pageLength
            ? "<p class=\"pages\"><a href=\"\(filter.link("events"))\">All events</a></p>" : ""
        return "\(eventTable(found.rows.prefix(Self.pageLength)))\(all)"
    }

    private func invoices(of id: String) async throws -> HTML {
        let rows: [HTML] = try await pages.lists.invoices(subscription: id, limit: Self.pageLength).map { invoice in
            let refunded = invoice.refunded ?? 0
            return """
                <tr><td><a href="\(Link("events", invoice.eventID.text))">\(invoice.id ?? "–")</a></td>
                <td>\(invoice.reason)</td><td>\(invoice.status)</td>
                <td class="n">\(invoice.total.map(money)) \(invoice.currency)\(refunded > 0 ? ", \(money(refunded)) back" : "")</td>
                <td class="w">\(time(invoice.createdAt))</td></tr>
                """
        }
        return table(
            "Invoices", ["Invoice", "Reason", "Status", .number("Total"), .wide("Made")], rows, empty: "None has come.")
    }
}
