import Accounts
import Billing
import Foundation
import Selextract
import Storage

extension Console {
    private func variant(_ values: FormValues) throws -> String {
        let text = try required("variant", in: values, "Name the variant.")
        guard text.utf8.count <= 100, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw ConsoleMistake("A variant id is digits only.")
        }
        return text
    }

    func confirmMap(_ values: FormValues) async throws -> Confirmation {
        let variant = try variant(values)
        let waiting = try await store.primary.waiting(limit: Self.bound).groups.filter { $0.variantID == variant }
        let (events, accounts) = waiting.reduce((0, 0)) { ($0.0 + $1.events, $0.1 + $1.accounts) }
        let options: [HTML] = try await store.primary.plans().filter { $0.id != "free" }.map { plan in
            """
            <option value="\(plan.id)">\(plan.name): \(count(plan.monthlyComputeUnits)) units,
            \(money(plan.priceCents)) US dollars a month</option>
            """
        }
        return Confirmation(
            act: "map", title: "Map variant \(variant)", command: "selextract-billing plans map PLAN \(variant)",
            question: """
                <p>From now on variant <b>\(variant)</b> means the plan. \(count(events, "event", bound: Self.bound)) of
                \(count(accounts, "account", bound: Self.bound)) wait for it, and are decided then. A variant that is
                mapped keeps its meaning.</p>
                """,
            values: [("variant", variant)],
            fields: """
                <label>Plan<select name="plan" required><option value="">Choose one</option>\(options)</select></label>
                """,
            button: "Map, and decide \(count(events, "event", bound: Self.bound))", back: Link("waiting"),
            form: form("map", about: variant, after: nil))
    }

    func map(_ values: FormValues, _ actor: Operator) async throws -> Page {
        let variant = try variant(values)
        let plan = try required("plan", in: values, "Choose a plan.")
        let before = try await store.primary.waiting(limit: Self.bound).groups.filter { $0.variantID == variant }
        try await store.mapVariant(variant, to: plan, by: actor)
        try await store.release(policy: policy)
        let after = try await store.primary.waiting(limit: Self.bound).groups.filter { $0.variantID == variant }
        let (had, has) = (before.reduce(0) { $0 + $1.events }, after.reduce(0) { $0 + $1.events })
        return done(
            "Variant \(variant) means \(plan)",
            "\(count(had - has, "event", bound: Self.bound)) that waited for it \(had - has == 1 ? "is" : "are") decided.",
            command: "selextract-billing plans map \(plan) \(variant)", section: "waiting",
            links: [("What waits now", Link("waiting")), ("Plans", Link("plans"))])
    }
}
