import ArgumentParser
import Selextract
import Storage

struct UsersSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Changes an account; its plan and units follow from its subscriptions.")

    @Argument(help: "The account: id or e-mail.")
    var who: String
    @Option(help: "The new e-mail, at most 255 characters.")
    var email: String?
    @Option(help: "The person's name.")
    var fullName: String?
    @Option(help: ArgumentHelp("Who it is at Google, for logging in.", valueName: "id"))
    var googleID: String?
    @Flag(inversion: .prefixedNo, help: "Whether it may do anything: of an inactive account no key opens anything.")
    var active: Bool?
    @OptionGroup var output: OutputOptions

    private var changes: UserChanges {
        var changes = UserChanges()
        changes.email = email
        changes.fullName = fullName
        changes.googleID = googleID
        changes.isActive = active
        return changes
    }

    mutating func validate() throws {
        if changes == UserChanges() { throw ValidationError("Nothing to change was given.") }
        if let email { try EMailAddress.validate(email) }
    }

    func run() async throws {
        let user = try await withStore { store, _ in
            try await store.updateUser(try await store.user(named: who).id, changes)
        }
        try output.print { $0.record("user", Users.columns, user) }
    }
}
