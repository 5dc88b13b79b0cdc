public import Databases
import Schema

extension DatabaseConfiguration {
    /// Opens the store that the URL names, and its replica. Nothing is created or migrated yet, but for SQLite's
    /// file.
    ///
    /// - Throws: `StoreError.invalidURL`, without the URL itself, which may hold a password.
    public func open() throws -> Store {
        var replica: (any SchemaDriver)?
        if let readURL {
            var configuration = self
            configuration.url = readURL
            replica = try configuration.database()
        }
        return Store(try database(), replica: replica)
    }

    private func database() throws -> any SchemaDriver {
        if url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") {
            // The same bytes, stored by another transaction meanwhile: run again, this one finds them (R1).
            return PostgresDriver(self, collisions: ["webhook_events_body_sha256_key"])
        }
        guard url.hasPrefix("sqlite:") else {
            throw StoreError.invalidURL("expected sqlite:PATH, postgres://… or postgresql://…")
        }
        return try SQLiteDriver(self)
    }
}

extension DatabaseConfiguration {
    /// What applies a migration and records it, for the shell of the kind of database that the URL names; nil if there is
    /// none of that version.
    public func script(ofMigration version: Int) -> String? {
        guard url.hasPrefix("sqlite:") else {
            return Schema.postgreSQL.first { $0.version == version }?.script()
        }
        // As the store does it. Within a transaction it cannot be switched.
        return Schema.sqlite.first { $0.version == version }?
            .script(before: "pragma foreign_keys = off;\n", after: "pragma foreign_keys = on;\n")
    }
}
