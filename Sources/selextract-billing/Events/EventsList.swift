import ArgumentParser
import Billing
import Selextract
import Storage

struct EventsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Events, newest first.")

    @Option(help: "Only those with this outcome.")
    var outcome: Outcome?
    @Option(help: "Only those with this reason.")
    var reason: String?
    @Option(help: "Only those of this name, for example subscription_updated.")
    var name: String?
    @Option(help: ArgumentHelp("Only those of a subscription.", valueName: "id"))
    var subscription: String?
    @Option(help: ArgumentHelp("Only those that count for an account: id or e-mail.", valueName: "who"))
    var user: String?
    @OptionGroup var paging: PageOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let page = try await withStore { store, _ in
            var filter = EventFilter()
            filter.outcome = outcome
            filter.reason = reason
            filter.name = name
            filter.subscriptionID = subscription
            if let user { filter.userID = try await store.user(named: user).id }
            return try await paging.read { [filter] in
                try await store.lists.eventRecords(filter, limit: $0, before: $1)
            } cursor: {
                Cursor(at: $0.receivedAt, id: $0.id)
            }
        }
        try output.print { $0.page("events", Events.columns, page) }
    }
}
