import Accounts
import ArgumentParser
import Billing
import Databases
import Foundation
import Selextract
import Storage

struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Creates, shows and revokes API keys.",
        subcommands: [KeysCreate.self, KeysList.self, KeysRevoke.self]
    )

    /// All but the hash, which nobody needs to see.
    static let columns: [Column<APIKey>] = [
        Column("id") { Cell($0.id) },
        Column("user_id", inTable: false) { Cell($0.userID) },
        Column("name") { Cell($0.name) },
        Column("description", inTable: false) { Cell($0.description) },
        Column("key_prefix", title: "prefix") { Cell($0.keyPrefix) },
        Column("is_active", title: "active") { Cell($0.isActive) },
        Column("opens") { Cell($0.isOpenable) },
        Column("last_used_at") { Cell($0.lastUsedAt) },
        Column("created_at") { Cell($0.createdAt) },
    ]
}

struct KeysCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Creates an API key. Its text is shown this once, and stored nowhere.")

    @Argument(help: "The account: id or e-mail.")
    var who: String
    @Option(help: "What the key is for.")
    var name: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let new = try await withStore { store, _ in
            try await store.createKey(for: try await store.user(named: who).id, name: name)
        }
        try output.print {
            $0.record("key", Keys.columns, new.key)
            $0.value("text", .text(new.text.secret))
            $0.note("\(new.text.secret)\nKeep it: it is not shown again.")
        }
    }
}

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
            return try await page.read {
                try await store.keys(user: owner, limit: $0, before: $1)
            } cursor: {
                Cursor(at: $0.createdAt, id: $0.id)
            }
        }
        try output.print {
            $0.page("keys", Keys.columns, keys)
            if keys.rows.contains(where: { !$0.isOpenable }) {
                $0.note("Keys that open nothing were made by another program: this one cannot tell whose they are.")
            }
        }
        try keys.unreadable.failIfAny()
    }
}

struct KeysRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revokes an API key, at once and for good.")

    @Argument(help: "The key's id.")
    var keyID: UUID
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let key = try await withStore { store, _ in try await store.revokeKey(keyID, of: nil, by: .local) }
        try output.print { $0.record("key", Keys.columns, key) }
    }
}
