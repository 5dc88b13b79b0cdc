import ArgumentParser
import ServiceSettings
import Foundation
import Storage

struct UsersCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Creates an account. It gets what already waited for it.")

    @Argument(help: "The e-mail, at most 255 characters.")
    var email: String
    @Option(help: ArgumentHelp("The account's id; else a random one.", valueName: "uuid"))
    var id: UUID?
    @Option(help: "The person's name.")
    var fullName: String?
    @Option(help: ArgumentHelp("Who it is at Google, for logging in.", valueName: "id"))
    var googleID: String?
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        try EMailAddress.validate(email)
    }

    func run() async throws {
        let user = try await withStore(use: .decide) { store, settings in
            try await store.createAccount(
                NewUser(id: id, email: email, fullName: fullName, googleID: googleID), policy: settings.policy)
        }
        try output.print { $0.record("user", Users.columns, user) }
    }
}

enum EMailAddress {
    static func validate(_ text: String) throws {
        guard text.count <= 255, text.printable == text, text.split(separator: "@").count == 2 else {
            throw ValidationError("“\(text)” is not an e-mail address of at most 255 characters.")
        }
    }
}
