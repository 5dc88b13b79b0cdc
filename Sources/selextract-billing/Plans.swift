import Accounts
import ArgumentParser
import Billing
import Databases
import Selextract
import ServiceSettings
import Storage

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

struct PlansList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "All plans, cheapest first, also those that are not offered.")

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let rows = try await withStore { store, _ in
            let variants = try await store.lists.variants()
            return try await store.lists.plans().map { PlanRow($0, variants: variants) }
        }
        try output.print { $0.list("plans", PlanRow.columns, rows) }
    }
}

struct PlansSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Changes a plan. Units that were granted stay: later months follow the change.")

    @Argument(help: "The plan's id.")
    var plan: String
    @Option(help: "Shown to customers.")
    var name: String?
    @Option(help: "Shown to customers.")
    var description: String?
    @Option(help: ArgumentHelp("US cents a month.", valueName: "n"))
    var priceCents: Int?
    @Option(help: ArgumentHelp("Compute units a month.", valueName: "n"))
    var units: Int?
    @Option(help: ArgumentHelp("Unfinished tasks at once.", valueName: "n"))
    var maxConcurrentTasks: Int?
    @Option(
        help: ArgumentHelp("The variant that sells it from now on; the one before keeps its meaning.", valueName: "id"))
    var variantID: String?
    @Flag(inversion: .prefixedNo, help: "Whether it is offered. Those who have it keep it.")
    var active: Bool?
    @OptionGroup var output: OutputOptions

    private var changes: PlanChanges {
        var changes = PlanChanges()
        changes.name = name
        changes.description = description
        changes.priceCents = priceCents
        changes.monthlyComputeUnits = units
        changes.maxConcurrentTasks = maxConcurrentTasks
        changes.lemonSqueezyVariantID = variantID
        changes.isActive = active
        return changes
    }

    mutating func validate() throws {
        if changes == PlanChanges() { throw ValidationError("Nothing to change was given.") }
        for (option, number) in [
            ("--price-cents", priceCents), ("--units", units), ("--max-concurrent-tasks", maxConcurrentTasks),
        ] {
            guard let number, !(0...Int(Int32.max)).contains(number) else { continue }
            throw ValidationError("\(option) must be from 0 to \(Int32.max).")
        }
        if let variantID { try VariantID.validate(variantID) }
    }

    func run() async throws {
        let row = try await withStore(use: .decide) { store, settings in
            let plan = try await store.updatePlan(plan, changes)
            if variantID != nil { try await store.release(policy: settings.policy) }
            return PlanRow(plan, variants: try await store.primary.variants())
        }
        try output.print { $0.record("plan", PlanRow.columns, row) }
    }
}

enum VariantID {
    /// The provider's ids are digits: a name would never match.
    static func validate(_ text: String) throws {
        guard (1...100).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw ValidationError("A variant id is digits only.")
        }
    }
}

struct PlansMap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map",
        abstract: "Lets a further variant mean a plan: yearly ones, old prices. What waited for it is released.")

    @Argument(help: "The plan's id.")
    var plan: String
    @Argument(help: "The variant's id at Lemon Squeezy.")
    var variantID: String
    @OptionGroup var output: OutputOptions

    mutating func validate() throws { try VariantID.validate(variantID) }

    func run() async throws {
        let row = try await withStore(use: .decide) { store, settings in
            try await store.mapVariant(variantID, to: plan, by: .local)
            try await store.release(policy: settings.policy)
            guard let plan = try await store.primary.plans().first(where: { $0.id == plan }) else {
                throw StoreError.notFound("plan “\(plan)”")
            }
            return PlanRow(plan, variants: try await store.primary.variants())
        }
        try output.print { $0.record("plan", PlanRow.columns, row) }
    }
}
