import ArgumentParser
import Selextract
import Storage

struct UsersList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Accounts, newest first.")

    @OptionGroup var paging: PageOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let page = try await withStore { store, _ in
            try await paging.read {
                try await store.lists.users(limit: $0, before: $1)
            } cursor: {
                Cursor(at: $0.createdAt, id: $0.id)
            }
        }
        try output.print { $0.page("users", Users.columns, page) }
    }
}
