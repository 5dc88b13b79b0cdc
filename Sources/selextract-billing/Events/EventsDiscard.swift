import Accounts
import ArgumentParser
import Foundation
import ServiceSettings
import Storage

struct EventsDiscard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard",
        abstract: "Discards events that are parked, failed or quarantined. Prints what became of them.",
        discussion: """
            events discard 2f0c… --reason "a test of the shop's"

            They stay stored, ignored as discarded, and count for nothing, whatever comes later, until `events retry` \
            decides them again. All are discarded or, if one of them does not wait, none.
            """)

    @Argument(help: "The events' ids.")
    var ids: [UUID]
    @Option(help: "Why, for the record.")
    var reason: String
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if reason.isEmpty { throw ValidationError("--reason must say why.") }
    }

    func run() async throws {
        let events = try await withStore(use: .decide) { store, settings in
            try await store.discard(events: ids, reason: reason, policy: settings.policy)
        }
        try output.print { $0.list("events", Events.columns, events) }
    }
}
