import ArgumentParser
import ServiceSettings
import Foundation
import Storage

struct EventsRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Decides parked and failed events again; others stay as they are. Prints what became of them.")

    @Argument(help: "The events' ids.")
    var ids: [UUID]
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let events = try await withStore { store, settings in
            try await store.retry(events: ids, policy: settings.policy)
        }
        try output.print { $0.list("events", Events.columns, events) }
    }
}
