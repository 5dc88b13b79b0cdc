import ArgumentParser
import Foundation
import Selextract
import Storage

struct KeysList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "API keys, newest first: of one account, or of all.")

    @Argument(help: "The account: id or e-mail.")
    var who: String?
    @OptionGroup var page: PageOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let keys = try await withStore { store, _ in
            var user: UUID?
            if let who { user = try await store.user(named: who).id }
            let owner = user
            return try await page.read({ try await store.keys(user: owner, limit: $0, before: $1) }) {
                Cursor(at: $0.createdAt, id: $0.id)
            }
        }
        try output.print { $0.page("keys", Keys.columns, keys) }
    }
}
