import ArgumentParser
import Selextract

struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Creates, shows and revokes API keys.",
        subcommands: [KeysCreate.self, KeysList.self, KeysRevoke.self]
    )

    /// Never the hash: nobody needs it.
    static let columns: [Column<APIKey>] = [
        Column("id") { Cell($0.id) },
        Column("user_id", inTable: false) { Cell($0.userID) },
        Column("name") { Cell($0.name) },
        Column("description", inTable: false) { Cell($0.description) },
        Column("key_prefix", title: "prefix") { Cell($0.keyPrefix) },
        Column("is_active", title: "active") { Cell($0.isActive) },
        Column("last_used_at") { Cell($0.lastUsedAt) },
        Column("created_at") { Cell($0.createdAt) },
    ]
}
