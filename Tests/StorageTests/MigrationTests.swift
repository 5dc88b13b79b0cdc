import Billing
import Databases
import Foundation
import Payloads
import Schema
import SchemaValidation
import Selextract
import TestSupport
import Testing

@testable import Storage

@Suite struct MigrationTests {
    /// How many the program has.
    private static let count = Schema.postgreSQL.count

    @Test(arguments: DatabaseKind.allCases)
    func `an empty database is migrated once`(kind: DatabaseKind) async throws {
        try await kind.withDatabase(migrated: false) { database in
            let store = try database.open()
            #expect(try await store.migrations().map(\.appliedAt) == Array(repeating: nil, count: Self.count))
            let early = await storeError { try await store.check() }
            #expect(early == .schema("the schema is not up to date: run `migrate`"))
            guard case .schema = await storeError({ _ = try await store.primary.plans() }) else {
                Issue.record("a missing table is not told from other failures")
                return
            }
            #expect(
                try await store.migrate()
                    == Schema.postgreSQL.map { AppliedMigration(version: $0.version, name: $0.name) })
            #expect(try await store.migrate() == [])
            try await store.check()
            let status = try await store.migrations()
            #expect(status.map(\.version) == Array(1...Self.count))
            #expect(abs(try #require(status[0].appliedAt).timeIntervalSinceNow) < 60)
            await store.close()
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `of several that migrate at once one does it`(kind: DatabaseKind) async throws {
        try await kind.withDatabase(migrated: false) { database in
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let store = try database.open()
                        let applied = try await store.migrate()
                        await store.close()
                        return applied.count
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(applied == Self.count)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an edited migration and a newer database are refused`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let store = try database.open()
            try await database.execute("update schema_migrations set checksum = '00' where version = 1")
            for error in [
                await storeError { try await store.check() }, await storeError { try await store.migrate() },
            ] {
                #expect(error == .schema("migration 1 (init) was changed after it had been applied"))
            }
            // As if the file itself had made the schema: the program takes it over.
            try await database.execute("update schema_migrations set checksum = null")
            try await store.migrate()
            let checksums = try await database.values("select checksum from schema_migrations")
            #expect(checksums.map(\.count) == Array(repeating: 64, count: Self.count))
            try await database.execute("insert into schema_migrations (version, name) values (99, 'future')")
            for error in [
                await storeError { try await store.check() }, await storeError { try await store.migrate() },
            ] {
                #expect(error == .schema("the database is newer than this program: it has migration 99"))
            }
            await store.close()
        }
    }

    /// The first release's schema, with an account that has bought, worked, and written down what other programs do.
    @Test(arguments: DatabaseKind.allCases)
    func `the first schema with rows in it is brought up to date, and they mean the same`(
        kind: DatabaseKind
    ) async throws {
        try await kind.withDatabase(migrated: false) { database in
            let first = try #require((kind == .sqlite ? Schema.sqlite : Schema.postgreSQL).first)
            try await database.execute(first.sql)
            try await database.execute(
                """
                insert into users (id, email, compute_units_remaining)
                values ('\(ada.uuidString.lowercased())', 'ada@example.com', 77);
                insert into tasks (user_id, name, config) select id, 'scrape', '{}' from users;
                insert into task_logs (task_id, level, message, metadata) select id, 'info', 'm', '{}' from tasks;
                insert into user_subscriptions (user_id, plan_id) select id, 'starter' from users;
                insert into api_keys (user_id, name, key_hash, key_prefix) select id, 'key', 'hash', 'sk_1' from users;
                insert into usage_analytics (user_id, api_calls) select id, 3 from users;
                insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at)
                select id, 'grant', 100, 100, 'free', created_at from users;
                insert into compute_unit_charges (line, user_id, begins_at, adjusted, first_at)
                select 'free', id, created_at, -20, created_at from users;
                insert into compute_unit_buckets (
                    user_id, line, begins_at, ends_at, unlocked_at, granted, consumed, adjusted, carried
                )
                select id, 'free', created_at, compute_units_reset_date, created_at, 100, 0, -20, 0 from users;
                insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at)
                select id, 'external', -20, 80, 'free', created_at from users;
                """)
            // The tables that the first schema has.
            let counts = SchemaSnapshot.sqlite.tables
                .filter { first.sql.contains("create table if not exists \($0) (") }
                .map { "select '\($0) ' || cast(count(*) as varchar(9)) from \($0)" }
                .joined(separator: " union all ")
            let before = try await database.values(counts)
            #expect(before.count == 15)
            try await database.withStore { store in
                try await store.check()
                #expect(try await store.validateSchema() == SchemaReport(differences: [], notes: []))
                let after = try await database.values(counts)
                #expect(
                    Set(before).symmetricDifference(after) == [
                        "schema_migrations 1", "schema_migrations \(Self.count)",
                    ])
                // What another program has taken since the ledger's last line is missing in the month, too.
                #expect(try await store.entitlement(user: ada)?.computeUnitsRemaining == 77)
                #expect(try await store.buckets(user: ada).map(\.remaining) == [80])
            }
        }
    }

    /// As SQLite needs it to change a column: the table is dropped and made again.
    @Test func `on SQLite a table that is made again keeps what refers to it`() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await database.execute(
                """
                insert into users (email) values ('ada@example.com');
                insert into tasks (user_id, name, config) select id, 'scrape', '{}' from users
                """)
            let rebuilt = """
                create table people as select * from users;
                drop view account_entitlements;
                drop table users;
                create table users (id text not null primary key, email text) strict;
                insert into users select id, email from people;
                drop table people;
                """
            try await database.migrate(adding: rebuilt)
            #expect(
                try await database.values("select t.name from tasks t join users u on u.id = t.user_id") == ["scrape"])
            let orphaning = await storeError { try await database.migrate(adding: rebuilt, "delete from users") }
            #expect(
                orphaning == .failed("migration \(Self.count + 2) (further 1) leaves rows that refer to none"))
            #expect(try await database.values("select email from users") == ["ada@example.com"])
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `tables that others have made are refused, and nothing is changed`(kind: DatabaseKind) async throws {
        try await kind.withDatabase(migrated: false) { database in
            try await database.execute("create table users (id integer); create table tasks (id integer)")
            let store = try database.open()
            let refused = await storeError { try await store.migrate() }
            let advice =
                kind == .postgreSQL
                ? ". `migrate --adopt` takes them over; with --dry-run it only says what it would do" : ""
            #expect(
                refused
                    == .schema(
                        """
                        these tables are there already, and no record of migrations is: tasks, users. Another program \
                        made them, or they were not made to the end\(advice)
                        """))
            try await database.execute(
                "drop table users; drop table tasks; create table schema_migrations (version varchar(255))")
            for error in [
                await storeError { try await store.migrate() }, await storeError { _ = try await store.migrations() },
                await storeError { try await store.check() },
            ] {
                #expect(error == .schema("the table schema_migrations is another program's"))
            }
            await store.close()
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a schema that was made by hand is taken over only if it is complete`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.execute(
                "update schema_migrations set checksum = null; drop index idx_tasks_status; drop index idx_users_email")
            let store = try database.open()
            let refused = await storeError { try await store.migrate() }
            #expect(
                refused
                    == .schema(
                        """
                        the schema was made by hand, and differs from the expected one in 2 points: see `validate-schema`
                        """))
            #expect(
                try await database.values("select coalesce(checksum, 'none') from schema_migrations")
                    == Array(repeating: "none", count: Self.count))
            try await database.execute(
                """
                create index idx_tasks_status on tasks (status);
                create unique index idx_users_email on users (email)
                """)
            #expect(try await store.migrate() == [])
            let checksums = try await database.values("select checksum from schema_migrations")
            #expect(checksums.map(\.count) == Array(repeating: 64, count: Self.count))
            await store.close()
        }
    }

    /// With UPDATE_SNAPSHOT=1 it writes the file instead.
    @Test func `the file for any client holds all migrations`() throws {
        let file = Fixtures.repository.appendingPathComponent("db/init.sql")
        if ProcessInfo.processInfo.environment["UPDATE_SNAPSHOT"] != nil {
            try Data(Schema.initialization.utf8).write(to: file)
        } else {
            #expect(try String(contentsOf: file, encoding: .utf8) == Schema.initialization)
        }
    }

    /// As a driver sends it: one string.
    @Test func `one request with the whole file makes the schema, twice`() async throws {
        try await DatabaseKind.postgreSQL.withDatabase(migrated: false) { database in
            for _ in 0..<2 { try await database.execute(Schema.initialization) }
            let report = try await database.withStore { try await $0.validateSchema() }
            #expect(report == SchemaReport(differences: [], notes: []))
        }
    }

    @Test func `psql twice and migrate dump to the same schema, and no edited plan is overwritten`() async throws {
        let byHand = try await DatabaseKind.postgreSQL.withDatabase(migrated: false) { database in
            try PostgresProgram.initialize(database)
            try await database.execute("update subscription_plans set price_cents = 2100 where id = 'starter'")
            try PostgresProgram.initialize(database)
            try await database.withStore { store in
                try await store.check()
                #expect(try await store.primary.plans().map(\.priceCents) == [0, 2100, 4900, 9900])
            }
            return try PostgresProgram.dump(database)
        }
        let byProgram = try await DatabaseKind.postgreSQL.withDatabase { try PostgresProgram.dump($0) }
        #expect(byHand == byProgram)
        #expect(byHand.contains("CREATE TABLE public.webhook_events"))
    }

    @Test func `psql brings the first schema up to date, and leaves nothing where it fails`() async throws {
        try await DatabaseKind.postgreSQL.withDatabase(migrated: false) { database in
            try await database.execute("create table users (id integer)")
            #expect(throws: PostgresProgram.Failure.self) { try PostgresProgram.initialize(database) }
            #expect(
                try await database.values("select tablename::text from pg_tables where schemaname = 'public'") == [
                    "users"
                ])
            try await database.execute("drop table users")
            try await database.execute(Schema.postgreSQL[0].sql)
            try PostgresProgram.initialize(database)
            let report = try await database.withStore { try await $0.validateSchema() }
            #expect(report == SchemaReport(differences: [], notes: []))
        }
    }
}

extension TestDatabase {
    /// Migrates with further migrations behind the program's own.
    fileprivate func migrate(adding scripts: String...) async throws {
        let further = scripts.enumerated().map { number, sql in
            Schema.Migration(version: Schema.sqlite.count + 1 + number, name: "further \(number)", sql: sql)
        }
        let plan = MigrationPlan(known: Schema.sqlite + further)
        let store = Store(try SQLiteDriver(DatabaseConfiguration(url: url)), plan: plan)
        do {
            _ = try await store.migrate()
            await store.close()
        } catch {
            await store.close()
            throw error
        }
    }
}

/// The server's own programs.
enum PostgresProgram {
    struct Failure: Error {
        var program: String
        var status: Int32
    }

    static func run(_ program: String, _ arguments: [String]) throws -> String {
        let folder = try #require(ProcessInfo.processInfo.environment["TEST_POSTGRES_BIN"], "run make test")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: folder).appendingPathComponent(program)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.launchAlone()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(program: program, status: process.terminationStatus)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Makes the schema as a person would.
    static func initialize(_ database: TestDatabase) throws {
        let file = Fixtures.repository.appendingPathComponent("db/init.sql").path
        _ = try run("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, database.url])
    }

    /// Without the random key that newer versions put around a dump.
    static func dump(_ database: TestDatabase, withRows: Bool = false) throws -> String {
        try run("pg_dump", (withRows ? [] : ["--schema-only"]) + ["--no-owner", database.url]).split(separator: "\n")
            .filter { !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict") }.joined(separator: "\n")
    }
}
