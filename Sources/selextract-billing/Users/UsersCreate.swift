import ArgumentParser
import BillingServer
import Foundation
import Storage

struct UsersCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Creates an account. It gets what already waited for it.")

    @Argument(help: "The e-mail, at most 255 characters.")
    var email: String
    @Option(help: ArgumentHelp("The account's id; else a random one.", valueName: "uuid"))
    var id: UUID?
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        guard email.count <= 255, email.printable == email, email.split(separator: "@").count == 2 else {
            throw ValidationError("“\(email)” is not an e-mail address of at most 255 characters.")
        }
    }

    func run() async throws {
        let user = try await withStore { store, settings in
            try await store.createAccount(email: email, id: id, policy: settings.policy)
        }
        try output.print { $0.record("user", Users.columns, user) }
    }
}
