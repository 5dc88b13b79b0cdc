import Foundation
import Postgres
import Schema

extension PostgresDriver {
    /// Each migration in a transaction of its own, behind one lock: `create extension if not exists` races, too.
    func migrate() async throws -> [AppliedMigration] {
        var done: [AppliedMigration] = []
        while let applied = try await migrateOnce() { done.append(applied) }
        return done
    }

    private func migrateOnce() async throws -> AppliedMigration? {
        try await mapped {
            try await connections.withTransaction { connection in
                _ = try await connection.query("select pg_advisory_xact_lock(\(PostgresDialect.migrationLock))")
                let applied = try await Self.applied(connection)
                guard let next = try plan.pending(applied).first else {
                    try await adopt(plan.unrecorded(applied), connection)
                    return nil
                }
                if applied.isEmpty { try await Self.refuseForeignTables(connection) }
                do {
                    try await connection.executeScript(next.sql)
                    try await connection.executeScript(next.record)
                } catch let error as PostgresError where error.isMissingObject {
                    // Not for want of a migration.
                    throw StoreError.failed(error.description)
                }
                return AppliedMigration(version: next.version, name: next.name)
            }
        }
    }

    /// Takes over what the SQL files themselves have made.
    private func adopt(_ migrations: [Schema.Migration], _ connection: PostgresConnection) async throws {
        guard !migrations.isEmpty else { return }
        try await Self.requireSchema(connection)
        for migration in migrations { try await connection.executeScript(migration.record) }
    }

    private static func refuseForeignTables(_ connection: PostgresConnection) async throws {
        let found = try await connection.query(
            """
            select relname::text from pg_class
            where relname = any(\(Self.tables)) and pg_table_is_visible(oid) order by relname
            """
        ).values(String.self)
        guard found.isEmpty else { throw StoreError.foreignTables(found) }
    }

    static func applied(_ connection: PostgresConnection) async throws -> [MigrationPlan.Applied] {
        let columns = try await connection.query(
            """
            select attname::text from pg_attribute
            where attrelid = to_regclass('schema_migrations') and attnum > 0 and not attisdropped
            """
        ).values(String.self)
        guard try MigrationPlan.isOwn(columns) else { return [] }
        let query = MigrationPlan.applied
        return try await PostgresSession(connection: connection).run([query.sql]).read(query)
    }

    func migrations() async throws -> [MigrationStatus] {
        try await mapped {
            try await connections.withConnection { plan.status(try await Self.applied($0)) }
        }
    }

    func pendingMigrations() async throws -> [MigrationStatus] {
        try await mapped {
            try await connections.withConnection {
                MigrationStatus.pending(try plan.pending(try await Self.applied($0)))
            }
        }
    }
}
