import Schema

extension DatabaseConfiguration {
    /// What applies a migration and records it, for the shell of the kind of database that the URL names; nil if there
    /// is none of that version.
    public func script(ofMigration version: Int) -> String? {
        guard url.hasPrefix("sqlite:") else {
            return Schema.postgreSQL.first { $0.version == version }?.script()
        }
        // As the store does it. Within a transaction it cannot be switched.
        return Schema.sqlite.first { $0.version == version }?
            .script(before: "pragma foreign_keys = off;\n", after: "pragma foreign_keys = on;\n")
    }
}
