import Billing
import Foundation
import Selextract
import Storage

extension Console {
    func plansPage(_ visitor: Visitor) async throws -> Page {
        let (plans, variants) = (try await pages.lists.plans(), try await pages.lists.variants())
        let report = await surroundings.setup()
        let rows: [HTML] = plans.map { plan in
            let ids = variants.filter { $0.value == plan.id }.map(\.key).sorted { ($0.count, $0) < ($1.count, $1) }
            let own: [HTML] = ids.map { id in
                let sells: HTML = id == plan.lemonSqueezyVariantID ? " <small>sells it</small>" : ""
                let offer = report?.offers.first { $0.variant == id }
                return "<div>\(id)\(sells)\(offer.map(sold) ?? "")</div>"
            }
            return """
                <tr><td><b>\(plan.name)</b><br><small>\(plan.id)</small></td><td class="n">\(money(plan.priceCents))</td>
                <td class="n">\(count(plan.monthlyComputeUnits))</td>
                <td class="n w">\(count(plan.maxConcurrentTasks))</td><td class="w">\(plan.isActive ? "yes" : "no")</td>
                <td>\(own.isEmpty ? "none" : "\(own)")</td></tr>
                """
        }
        let unmapped: [HTML] = try await pages.unmappedVariants().map { variant in
            let act: HTML =
                visitor.role == .operator
                ? "<a href=\"\(Link("acts", "map", values: ["variant": variant]))\">Map to a plan</a>" : "–"
            return "<tr><td>\(variant)</td><td>\(act)</td></tr>"
        }
        let comparison = comparison(report)
        return Page(
            title: "Plans", section: "plans", command: "selextract-billing plans list",
            content: """
                \(table(
                    "Plans",
                    [
                        "Plan", .number("US dollars a month"), .number("Units a month"), .number("Tasks at once", isWide: true),
                        .wide("Offered"), "Variants",
                    ], rows, empty: "There is no plan."))
                <h2>Variants that mean no plan</h2>\(table(
                    "Variants that mean no plan", ["Variant", "Act"], unmapped,
                    empty: "Every variant that an event has told of means a plan."))
                <h2>Compared with Lemon Squeezy</h2>\(comparison)
                """)
    }

    /// As Lemon Squeezy sells it.
    private func sold(_ offer: ConsoleSurroundings.Offer) -> HTML {
        let price = offer.cents.map(money) ?? "no price"
        return "<br><small>there \(price) \(offer.interval.map { "every \($0)" } ?? "once"), \(offer.status)</small>"
    }

    /// What `doctor` says of variants, prices and intervals.
    private func comparison(_ report: ConsoleSurroundings.SetupReport?) -> HTML {
        guard surroundings.provider != nil else {
            return "<p class=\"soft\">That needs <code>LEMON_SQUEEZY_API_KEY</code>.</p>"
        }
        guard let report else {
            return "<p class=\"soft\"><code>doctor</code> has not looked yet.</p>"
        }
        let own = report.findings.filter { finding in
            ["variant_", "price_", "plan_", "api_"].contains { finding.code.hasPrefix($0) }
        }
        let notes: [HTML] = own.map { note("\($0.sentence). <small>To mend it: \($0.remedy).</small>", .warn) }
        let none: HTML = own.isEmpty ? "<p>Variants, prices and intervals are the same there.</p>" : ""
        return "\(notes)\(none)<p class=\"soft\">Compared \(time(report.at)).</p>"
    }
}
