import ArgumentParser
import Selextract
import ServiceSettings
import Storage

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
            try await store.mapVariant(variantID, to: plan)
            try await store.release(policy: settings.policy)
            guard let plan = try await store.plans().first(where: { $0.id == plan }) else {
                throw StoreError.notFound("plan “\(plan)”")
            }
            return PlanRow(plan, variants: try await store.variants())
        }
        try output.print { $0.record("plan", PlanRow.columns, row) }
    }
}
