import Schema
import SchemaValidation
import Storage
import TestSupport
import Testing

/// Damage, and what is said of it.
struct Damage: Sendable, CustomTestStringConvertible {
    var sql: String
    var differences: [String]
    var notes: [String] = []

    init(_ sql: String, _ differences: String..., notes: [String] = []) {
        self.init(sql, differences, notes: notes)
    }

    init(_ sql: String, _ differences: [String], notes: [String] = []) {
        self.sql = sql
        self.differences = differences
        self.notes = notes
    }

    /// Of each migration that it has not been applied.
    static let unapplied = Schema.postgreSQL.map { "migration \($0.version) (\($0.name)) has not been applied" }

    var testDescription: String { sql.split(separator: "\n").joined(separator: " ") }

    /// Does it to a database of its own.
    func check(on kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.execute(sql)
            let store = try database.open()
            let report = try await store.validateSchema()
            #expect(report.differences.map(\.sentence) == differences)
            #expect(report.notes == notes)
            await store.close()
        }
    }
}

/// What both databases have in common.
@Suite struct ValidationTests {
    @Test(arguments: DatabaseKind.allCases)
    func `what migrate has made has no differences, whatever is stored in it`(kind: DatabaseKind) async throws {
        let use = Damage(
            """
            insert into users (email) values ('ada@example.com');
            update subscription_plans set price_cents = 2100, name = 'Begin' where id = 'starter';
            insert into subscription_plans (id, name, monthly_compute_units, max_concurrent_tasks, price_cents)
            values ('gold', 'Gold', 1, 1, 1)
            """)
        try await use.check(on: kind)
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an empty database lacks everything`(kind: DatabaseKind) async throws {
        try await kind.withDatabase(migrated: false) { database in
            let store = try database.open()
            let report = try await store.validateSchema()
            let sentences = report.differences.map(\.sentence)
            #expect(report.differences.allSatisfy { $0.problem == .missing })
            #expect(sentences.contains("table users is missing"))
            #expect(sentences.contains("view account_entitlements is missing"))
            #expect(sentences.last == Damage.unapplied.last)
            #expect(!sentences.contains { $0.hasPrefix("column") })
            await store.close()
        }
    }

    /// The same on both databases.
    static let common = [
        Damage("drop index idx_users_email", "index idx_users_email is missing"),
        Damage(
            "drop index idx_tasks_status; create unique index idx_tasks_status on tasks (status, id)",
            "index idx_tasks_status: expected (status), found unique (status, id)"),
        Damage(
            """
            drop index idx_usage_analytics_user_date;
            create index idx_usage_analytics_user_date on usage_analytics (user_id, date)
            """,
            "index idx_usage_analytics_user_date: expected unique (user_id, date), found (user_id, date)"),
        Damage("drop table task_logs", "table task_logs is missing"),
        Damage("alter table tasks drop column priority", "column tasks.priority is missing"),
        Damage(
            "alter table tasks rename column description to about", "column tasks.description is missing",
            notes: ["column tasks.about is not expected"]),
        Damage("delete from subscription_plans where id = 'starter'", "plan starter is missing"),
        Damage("drop view account_entitlements", "view account_entitlements is missing"),
        Damage(
            "delete from schema_migrations", Damage.unapplied),
        Damage(
            "update schema_migrations set checksum = '00' where version = 1",
            "migration 1 (init) was changed after it had been applied"),
        Damage(
            "insert into schema_migrations (version, name) values (99, 'future')",
            "the database is newer than this program: it has migration 99"),
        // The record of migrations is judged as a table first, and read only if it is one of ours.
        Damage(
            "drop table schema_migrations", ["table schema_migrations is missing"] + Damage.unapplied),
        Damage(
            "alter table schema_migrations drop column applied_at", "column schema_migrations.applied_at is missing"),
        Damage(
            "alter table schema_migrations rename column applied_at to moment",
            "column schema_migrations.applied_at is missing",
            notes: ["column schema_migrations.moment is not expected"]),
        Damage(
            """
            delete from schema_migrations where version = 2;
            alter table schema_migrations add column remark varchar(10)
            """,
            "migration 2 (entitlements) is missing, although 3 has been applied",
            notes: ["column schema_migrations.remark is not expected"]),
        // Other programs may add what does no harm.
        Damage(
            """
            create table invoices (id integer primary key, user_id integer not null check (user_id > 0));
            create unique index idx_invoices on invoices (user_id);
            alter table users add column nickname varchar(10);
            create index idx_users_nickname on users (nickname);
            create view everybody as select id from users
            """,
            notes: [
                "table invoices is not this program's", "column users.nickname is not expected",
                "index idx_users_nickname is not expected",
            ]),
        Damage(
            "create unique index one_name on users (full_name)", "index one_name is not expected"),
        // A migration's second statement may add to a table what the first has not.
        Damage(
            "alter table tasks add column tag integer not null default 0", notes: ["column tasks.tag is not expected"]),
    ]

    @Test(arguments: common)
    func `damage is seen on PostgreSQL`(damage: Damage) async throws {
        var damage = damage
        // Only there the way of an index is told.
        damage.differences = damage.differences.map {
            $0.hasPrefix("index") && $0.contains(": expected")
                ? $0.replacing(/(expected |found )(unique )?\(/) { "\($0.1)\($0.2 ?? "")btree (" } : $0
        }
        damage.sql = damage.sql.replacing("drop view", with: "drop view if exists").replacing(
            "drop table task_logs", with: "drop table task_logs cascade")
        try await damage.check(on: .postgreSQL)
    }

    @Test(arguments: common)
    func `damage is seen on SQLite`(damage: Damage) async throws {
        var damage = damage
        damage.sql = damage.sql.replacing("varchar(10)", with: "text")
        try await damage.check(on: .sqlite)
    }

    @Test(arguments: DatabaseKind.allCases)
    func `another view of the same name is seen`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.execute(
                """
                drop view account_entitlements;
                create view account_entitlements as select id as user_id, 'free' as plan_id from users
                """)
            let store = try database.open()
            let report = try await store.validateSchema()
            #expect(report.differences.map(\.problem) == [.different])
            let sentence = report.differences.first?.sentence ?? ""
            #expect(sentence.hasPrefix("view account_entitlements: expected “"))
            #expect(
                sentence.hasSuffix("plan_id from users;”") || sentence.hasSuffix("plan_id from users”"))
            await store.close()
        }
    }
}
