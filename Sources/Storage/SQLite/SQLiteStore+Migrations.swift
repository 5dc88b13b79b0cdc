import Foundation
import Schema

extension SQLiteStore {
    /// Each migration in a transaction of its own; the file's one writer is the lock.
    public func migrate() async throws -> [AppliedMigration] {
        var done: [AppliedMigration] = []
        while let applied = try await migrateOnce() { done.append(applied) }
        return done
    }

    private func migrateOnce() async throws -> AppliedMigration? {
        try await write { writer in
            try await writer.transact { connection in
                let applied = try Self.applied(connection)
                for migration in plan.unrecorded(applied) {
                    try connection.query(
                        """
                        update schema_migrations set checksum = \(migration.checksum)
                        where version = \(migration.version)
                        """)
                }
                guard let next = try plan.pending(applied).first else { return nil }
                try connection.run(next.sql)
                try connection.query(
                    """
                    insert into schema_migrations (version, name, checksum)
                    values (\(next.version), \(next.name), \(next.checksum))
                    on conflict (version) do update set checksum = excluded.checksum
                    """)
                return AppliedMigration(version: next.version, name: next.name)
            }
        }
    }

    static func applied(_ connection: SQLiteConnection) throws -> [MigrationPlan.Applied] {
        let table = try connection.query(
            "select 1 from sqlite_schema where type = 'table' and name = 'schema_migrations'")
        if table.isEmpty { return [] }
        return try connection.query(
            "select version, name, checksum, applied_at from schema_migrations order by version"
        ).map { row in
            let (version, name, checksum, at) = try row.decode(Int.self, String.self, String?.self, Date.self)
            return MigrationPlan.Applied(version: version, name: name, checksum: checksum, appliedAt: at)
        }
    }

    public func migrations() async throws -> [MigrationStatus] {
        try await read { plan.status(try Self.applied($0)) }
    }

    public func check() async throws {
        let pending = try await read { try plan.pending(try Self.applied($0)) }
        guard pending.isEmpty else { throw StoreError.schema("the schema is not up to date: run `migrate`") }
    }
}
