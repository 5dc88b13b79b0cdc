import ArgumentParser
import Selextract

struct Plans: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows and changes the plans, and which Lemon Squeezy variants mean them.",
        subcommands: [PlansList.self, PlansSet.self, PlansMap.self]
    )
}

/// A plan, and all variants that mean it.
struct PlanRow: Sendable {
    var plan: SubscriptionPlan
    var variants: [String]

    static let columns: [Column<PlanRow>] = [
        Column("id") { Cell($0.plan.id) },
        Column("name") { Cell($0.plan.name) },
        Column("description", inTable: false) { Cell($0.plan.description) },
        Column("price_cents") { Cell($0.plan.priceCents) },
        Column("monthly_compute_units", title: "units a month") { Cell($0.plan.monthlyComputeUnits) },
        Column("max_concurrent_tasks", title: "tasks at once") { Cell($0.plan.maxConcurrentTasks) },
        Column("is_active", title: "offered") { Cell($0.plan.isActive) },
        Column("variants") { .list($0.variants) },
    ]
}

extension PlanRow {
    init(_ plan: SubscriptionPlan, variants: [String: String]) {
        self.plan = plan
        // Ids are numbers of any length: the shorter is the smaller.
        self.variants = variants.filter { $0.value == plan.id }.map(\.key).sorted { ($0.count, $0) < ($1.count, $1) }
    }
}
