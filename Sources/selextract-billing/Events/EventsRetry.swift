import ArgumentParser
import ServiceSettings
import Foundation
import Storage

struct EventsRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Decides parked, failed and quarantined events again. Prints what became of them.",
        discussion: "Exits with 1 if nothing changed. Quarantined events are judged by the settings of now.")

    @Argument(help: "The events' ids.")
    var ids: [UUID]
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (events, haveChanged) = try await withStore(use: .decide) { store, settings in
            try await store.retry(events: ids, policy: settings.policy)
        }
        try output.print {
            $0.list("events", Events.columns, events)
            if !haveChanged { $0.note("Nothing changed: they wait for the same as before.") }
        }
        if !haveChanged { throw ExitCode.failure }
    }
}
