import Foundation
import Postgres
import Schema

extension PostgresStore {
    /// Each migration in a transaction of its own, behind one lock: `create extension if not exists` races, too.
    public func migrate() async throws -> [AppliedMigration] {
        var done: [AppliedMigration] = []
        while let applied = try await migrateOnce() { done.append(applied) }
        return done
    }

    private func migrateOnce() async throws -> AppliedMigration? {
        try await mapped {
            try await pool.withTransaction { connection in
                _ = try await connection.query("select pg_advisory_xact_lock(\(Self.migrationLock))")
                let applied = try await Self.applied(connection)
                for migration in plan.unrecorded(applied) {
                    _ = try await connection.query(
                        """
                        update schema_migrations set checksum = \(migration.checksum)
                        where version = \(migration.version)
                        """)
                }
                guard let next = try plan.pending(applied).first else { return nil }
                try await connection.executeScript(next.sql)
                _ = try await connection.query(
                    """
                    insert into schema_migrations (version, name, checksum)
                    values (\(next.version), \(next.name), \(next.checksum))
                    on conflict (version) do update set checksum = excluded.checksum
                    """)
                return AppliedMigration(version: next.version, name: next.name)
            }
        }
    }

    /// Any number that no other program uses for its advisory locks.
    static let migrationLock = 0x5E1E_C7AC

    static func applied(_ connection: PostgresConnection) async throws -> [MigrationPlan.Applied] {
        let exists = try await connection.query("select to_regclass('schema_migrations') is not null")
        guard try exists.values(Bool.self) == [true] else { return [] }
        return try await connection.query(
            "select version, name, checksum, applied_at from schema_migrations order by version"
        ).map { row in
            let (version, name, checksum, at) = try row.decode(Int.self, String.self, String?.self, Date.self)
            return MigrationPlan.Applied(version: version, name: name, checksum: checksum, appliedAt: at)
        }
    }

    public func migrations() async throws -> [MigrationStatus] {
        try await mapped {
            try await pool.withConnection { plan.status(try await Self.applied($0)) }
        }
    }

    public func check() async throws {
        let pending = try await mapped {
            try await pool.withConnection { try plan.pending(try await Self.applied($0)) }
        }
        guard pending.isEmpty else { throw StoreError.schema("the schema is not up to date: run `migrate`") }
    }
}
