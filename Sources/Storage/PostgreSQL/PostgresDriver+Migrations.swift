import Databases
import Schema
import SchemaValidation

extension PostgresDriver: SchemaDriver {
    static let plan = MigrationPlan(known: Schema.postgreSQL)

    /// In a transaction of its own, behind one lock: `create extension if not exists` races, too.
    func migrateOnce(_ plan: MigrationPlan) async throws -> AppliedMigration? {
        try await alterSchemaWhenFree { session in
            _ = try await session.run([PostgresDialect.lockOfMigrations])
            let applied = try await Self.applied(session)
            guard let next = try plan.pending(applied).first else {
                try await adopt(plan.unrecorded(applied), session)
                return nil
            }
            if applied.isEmpty { try await Self.refuseForeignTables(session) }
            try await session.run(script: next.sql)
            try await session.run(script: next.record)
            return AppliedMigration(version: next.version, name: next.name)
        }
    }

    /// Takes over what the SQL files themselves have made.
    private func adopt(_ migrations: [Schema.Migration], _ session: PostgresSession) async throws {
        guard !migrations.isEmpty else { return }
        try MigrationPlan.require(SchemaSnapshot.postgreSQL.compare(try await Self.snapshot(session)))
        for migration in migrations { try await session.run(script: migration.record) }
    }

    private static func refuseForeignTables(_ session: PostgresSession) async throws {
        let found = try await session.fetch(
            Query<String>(
                """
                select relname::text from pg_class
                where \("relname", in: Self.tables) and pg_table_is_visible(oid) order by relname
                """))
        guard found.isEmpty else {
            throw StoreError.foreignTables(
                found,
                advice: ". `migrate --adopt` takes them over; with --dry-run it only says what it would do")
        }
    }

    func applied() async throws -> [MigrationPlan.Applied] { try await maintain { try await Self.applied($0) } }

    static func applied(_ session: PostgresSession) async throws -> [MigrationPlan.Applied] {
        let columns = try await session.fetch(
            Query<String>(
                """
                select attname::text from pg_attribute
                where attrelid = to_regclass('schema_migrations') and attnum > 0 and not attisdropped
                """))
        guard try MigrationPlan.isOwn(columns) else { return [] }
        return try await session.fetch(MigrationPlan.applied)
    }
}
