public import Databases
import Schema

extension DatabaseConfiguration {
    /// Opens the store that the URL names, its replica, and the usage database. Nothing is created or migrated yet, but for SQLite's
    /// file.
    ///
    /// - Throws: `StoreError.invalidURL`, without the URL itself, which may hold a password.
    public func open() throws -> Store {
        var (work, reading) = (self, self)
        if separatesReads {
            reading.poolSize = max(1, poolSize / 2)
            reading.maxOverflow = maxOverflow / 2
            reading.poolTimeout = min(poolTimeout, .seconds(2))
            reading.queueLength = 200
            reading.readTimeout = .seconds(2)
            // Two lanes and the clock must never wait for each other.
            work.poolSize = max(3, poolSize - reading.poolSize)
            work.maxOverflow -= reading.maxOverflow
        }
        let driver = try work.database()
        // SQLite's driver has connections of its own for them.
        let reads = separatesReads && !url.hasPrefix("sqlite:") ? try reading.database() : nil
        var replica: (any SchemaDriver)?
        if let readURL {
            reading.url = readURL
            replica = try reading.database()
        }
        return Store(driver, reads: reads, replica: replica, usageDatabase: try usageDatabase())
    }

    /// Opens a store for pages that people look at: the replica, if there is one, by a few connections of its own, and
    /// within two seconds a statement, so that nobody's curiosity takes anything from deliveries.
    ///
    /// - Returns: nil for a database in memory, which has one connection only.
    /// - Throws: as ``open()``.
    public func openForPages() throws -> Store? {
        let place = readURL ?? url
        guard place != "sqlite::memory:" else { return nil }
        var configuration = self
        configuration.url = place
        configuration.createsFile = false
        // SQLite opens its readers as they are needed, and knows no overflow.
        (configuration.poolSize, configuration.maxOverflow) = place.hasPrefix("sqlite:") ? (4, 0) : (1, 3)
        configuration.poolTimeout = .seconds(2)
        configuration.queueLength = 50
        configuration.readTimeout = .seconds(2)
        configuration.isReadOnly = true
        return Store(try configuration.database())
    }

    private func usageDatabase() throws -> UsageDatabase? {
        guard let usageURL, usageURL != url else { return nil }
        var configuration = self
        configuration.url = usageURL
        // What moves usage needs one connection; the other is for who reads it.
        configuration.poolSize = 2
        configuration.maxOverflow = 0
        configuration.readTimeout = .seconds(2)
        return UsageDatabase(try configuration.database())
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
