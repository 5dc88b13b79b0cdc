import ArgumentParser
import Foundation
import Selextract
import Storage

struct SubscriptionsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Subscriptions, newest first.")

    @Option(help: ArgumentHelp("Only those of an account: id or e-mail.", valueName: "who"))
    var user: String?
    @OptionGroup var paging: PageOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let page = try await withStore { store, _ in
            let id = if let user { try await store.user(named: user).id } else { UUID?.none }
            return try await paging.read {
                try await store.lists.subscriptions(user: id, limit: $0, before: $1)
            } cursor: {
                Cursor(at: $0.createdAt, id: $0.id)
            }
        }
        try output.print { $0.page("subscriptions", Subscriptions.columns, page) }
    }
}
