import ArgumentParser
import ServiceSettings
import Selextract
import Storage

struct UsersDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Deletes an account with all that is its: tasks, keys, usage, ledger.",
        discussion: "The provider's events stay, and wait for an account of the same id. Refused without --yes.")

    @Argument(help: "The account: id or e-mail.")
    var who: String
    @Flag(help: "Really do it.")
    var yes = false

    mutating func validate() throws {
        guard yes else { throw ValidationError("This deletes the account and all that is its: say --yes.") }
    }

    func run() async throws {
        let user = try await withStore { store, settings in
            let user = try await store.user(named: who)
            try await store.deleteAccount(user.id, policy: settings.policy)
            return user
        }
        print("The account \(user.id.text) is deleted.")
    }
}
