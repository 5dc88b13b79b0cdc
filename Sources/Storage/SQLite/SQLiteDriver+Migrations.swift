import Foundation
import GRDB
import Schema

extension SQLiteDriver {
    /// Each migration in a transaction of its own; the file's one writer is the lock.
    func migrate() async throws -> [AppliedMigration] {
        var done: [AppliedMigration] = []
        while let applied = try await migrateOnce() { done.append(applied) }
        return done
    }

    private func migrateOnce() async throws -> AppliedMigration? {
        try await alterSchema { connection in
            let applied = try Self.applied(connection)
            guard let next = try plan.pending(applied).first else {
                try adopt(plan.unrecorded(applied), connection)
                return nil
            }
            if applied.isEmpty { try Self.refuseForeignTables(connection) }
            do {
                try connection.run(script: next.sql)
                try connection.run(script: next.record)
            } catch let error as DatabaseError {
                // Also a missing table: not for want of a migration.
                throw StoreError.failed(error.message ?? "the migration failed")
            }
            guard try connection.run("pragma foreign_key_check").isEmpty else {
                throw StoreError.failed("migration \(next.version) (\(next.name)) leaves rows that refer to none")
            }
            return AppliedMigration(version: next.version, name: next.name)
        }
    }

    /// Takes over what the SQL files themselves have made.
    private func adopt(_ migrations: [Schema.Migration], _ connection: SQLiteConnection) throws {
        guard !migrations.isEmpty else { return }
        try Self.requireSchema(connection)
        for migration in migrations { try connection.run(script: migration.record) }
    }

    private static func refuseForeignTables(_ connection: SQLiteConnection) throws {
        let found = try connection.fetch(
            Query<String>(
                """
                select name from sqlite_schema where type in ('table', 'view') and \("name", in: Self.tables)
                order by name
                """))
        guard found.isEmpty else { throw StoreError.foreignTables(found) }
    }

    static func applied(_ connection: SQLiteConnection) throws -> [MigrationPlan.Applied] {
        let columns = try connection.fetch(Query<String>("select name from pragma_table_info('schema_migrations')"))
        guard try MigrationPlan.isOwn(columns) else { return [] }
        return try connection.fetch(MigrationPlan.applied)
    }

    func migrations() async throws -> [MigrationStatus] {
        try await read { plan.status(try Self.applied($0)) }
    }

    func pendingMigrations() async throws -> [MigrationStatus] {
        try await read { MigrationStatus.pending(try plan.pending(try Self.applied($0))) }
    }
}
