import Databases
import Schema
import SchemaValidation

extension SQLiteDriver: SchemaDriver {
    static let plan = MigrationPlan(known: Schema.sqlite)

    /// In a transaction of its own; the file's one writer is the lock.
    func migrateOnce(_ plan: MigrationPlan) async throws -> AppliedMigration? {
        try await alterSchema { connection in
            let applied = try Self.applied(connection)
            guard let next = try plan.pending(applied).first else {
                try adopt(plan.unrecorded(applied), connection)
                return nil
            }
            if applied.isEmpty { try Self.refuseForeignTables(connection) }
            try connection.run(script: next.sql)
            try connection.run(script: next.record)
            guard try connection.run("pragma foreign_key_check").isEmpty else {
                throw StoreError.failed("migration \(next.version) (\(next.name)) leaves rows that refer to none")
            }
            return AppliedMigration(version: next.version, name: next.name)
        }
    }

    /// Takes over what the SQL files themselves have made.
    private func adopt(_ migrations: [Schema.Migration], _ connection: SQLiteConnection) throws {
        guard !migrations.isEmpty else { return }
        try MigrationPlan.require(SchemaSnapshot.sqlite.compare(try Self.snapshot(connection)))
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

    func applied() async throws -> [MigrationPlan.Applied] { try await read { try Self.applied($0) } }

    static func applied(_ connection: SQLiteConnection) throws -> [MigrationPlan.Applied] {
        let columns = try connection.fetch(Query<String>("select name from pragma_table_info('schema_migrations')"))
        guard try MigrationPlan.isOwn(columns) else { return [] }
        return try connection.fetch(MigrationPlan.applied)
    }
}
