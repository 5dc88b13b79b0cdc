import ArgumentParser
import Selextract
import Storage

struct SubscriptionsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "A subscription, whose it is, and the events that are stored of it.")

    @Argument(help: "The subscription's id at Lemon Squeezy.")
    var id: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (subscription, owner, events) = try await withStore { store, _ in
            var filter = EventFilter()
            filter.subscriptionID = id
            let subscription = try await store.subscription(id)
            let events = try await store.eventRecords(filter, limit: 100, before: nil)
            // Events that wait make no subscription yet, but are what one wants to see then.
            if subscription == nil && events.isEmpty { throw StoreError.notFound("subscription “\(id)”") }
            let owner: User? = if let subscription { try await store.user(id: subscription.userID) } else { nil }
            return (subscription, owner, events)
        }
        try output.print {
            $0.record("subscription", Subscriptions.columns, subscription)
            $0.record("user", Users.columns, owner)
            $0.list("events", Events.columns, events)
        }
    }
}
