import Accounts
import ArgumentParser
import Databases
import Foundation
import Selextract
import ServiceSettings
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

struct UsersDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Deletes an account with all that is its: tasks, keys, usage, ledger.",
        discussion: """
            The provider's events stay, and wait for an account of the same id. With --erase they keep their hashes, ids, \
            facts and times, but lose what is personal: bodies, names, e-mails. Refused without --yes, and if a \
            subscription still runs, for which the provider goes on taking money, without --although-subscribed.
            """)

    @Argument(help: "The account: id or e-mail; with --erase also the id of one that was deleted before.")
    var who: String
    @Flag(help: "Really do it.")
    var yes = false
    @Flag(help: "Although a subscription of it still runs.")
    var althoughSubscribed = false
    @Flag(help: "Also remove what is personal from its stored events.")
    var erase = false

    mutating func validate() throws {
        guard yes else { throw ValidationError("This deletes the account and all that is its: say --yes.") }
    }

    func run() async throws {
        let (id, erased) = try await withStore(use: .decide) { store, settings in
            let id = try await account(in: store)
            let running = try await store.primary.subscriptions(user: id, limit: 1000, before: nil).filter(\.isRunning)
            if !running.isEmpty, !althoughSubscribed {
                let names = running.map { "\($0.lemonSqueezySubscriptionID ?? "-") (\($0.planID), \($0.status))" }
                throw Failure(
                    "the account's subscription \(names.joined(separator: ", ")) still runs: cancel it at Lemon Squeezy "
                        + "first, or say --although-subscribed")
            }
            return (id, try await store.deleteAccount(id, erase: erase, policy: settings.policy))
        }
        print("The account \(id.text) is deleted.")
        if erase { print("\(erased) events were erased: what is personal is gone from them.") }
    }

    /// With `--erase` the account may be deleted already; then only its id can name it.
    private func account(in store: Store) async throws -> UUID {
        do {
            return try await store.user(named: who).id
        } catch StoreError.notFound where erase {
            guard let id = UUID(uuidString: who) else {
                throw Failure("there is no account “\(who)”; one that was deleted before is named by its id")
            }
            return id
        }
    }
}
