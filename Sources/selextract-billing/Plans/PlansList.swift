import ArgumentParser
import Storage

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
