import ArgumentParser
import ServiceSettings
import Storage

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
            return PlanRow(plan, variants: try await store.variants())
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
