import ArgumentParser
import Selextract
import ServiceSettings
import Storage

struct SubscriptionsBind: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bind",
        abstract: "Makes a subscription an account's, whatever its events claim; both accounts are computed again.")

    @Argument(help: "The subscription's id at Lemon Squeezy.")
    var id: String
    @Argument(help: "The account: id or e-mail.")
    var who: String
    @Option(help: "Why, for the record.")
    var reason: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (subscription, user) = try await withStore(use: .decide) { store, settings in
            let user = try await store.user(named: who)
            try await store.bind(subscription: id, to: user.id, reason: reason, policy: settings.policy)
            return (try await store.subscription(id), try await store.user(id: user.id))
        }
        try output.print {
            $0.record("subscription", Subscriptions.columns, subscription)
            $0.record("user", Users.columns, user)
        }
    }
}
