import SchemaValidation
import Storage
import TestSupport
import Testing

@Suite struct SQLiteValidationTests {
    /// SQLite cannot alter a column: the table is made again, with one thing in its text replaced.
    struct Edit: Sendable, CustomTestStringConvertible {
        var table: String
        var old: String
        var new: String
        var differences: [String]

        init(_ table: String, _ old: String, _ new: String, _ differences: String...) {
            (self.table, self.old, self.new, self.differences) = (table, old, new, differences)
        }

        var testDescription: String {
            "\(table): \(old) → \(new)".split(separator: "\n").joined(separator: " ")
        }
    }

    private static let uuidDefault = """
        default (
                lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
                || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
                || lower(hex(randomblob(6)))
            )
        """

    static let edits = [
        Edit(
            "tasks", "priority integer not null default 0", "priority text not null default 0",
            "column tasks.priority: expected integer not null default 0, found text not null default 0"),
        Edit(
            "tasks", "priority integer not null default 0", "priority integer default 0",
            "column tasks.priority: expected integer not null default 0, found integer default 0"),
        Edit(
            "tasks", "priority integer not null default 0", "priority integer not null default 5",
            "column tasks.priority: expected integer not null default 0, found integer not null default 5"),
        Edit(
            "tasks", "check (progress between 0 and 100)", "", "check (progress between 0 and 100) of tasks is missing"),
        Edit(
            "tasks", "check (progress between 0 and 100)", "check (progress >= 0)",
            "check (progress between 0 and 100) of tasks is missing",
            "check (progress >= 0) of tasks is not expected"),
        Edit(
            "tasks", "check (json_valid(config))", "", "check (json_valid(config)) of tasks is missing"),
        Edit(
            "tasks", "user_id text not null references users (id) on delete cascade", "user_id text not null",
            "foreign key (user_id) to users (id) of tasks is missing"),
        Edit(
            "tasks", "references users (id) on delete cascade", "references users (id)",
            "foreign key (user_id) to users (id) of tasks: expected on delete cascade, found on delete no action"),
        Edit("tasks", ") strict", ")", "table tasks: expected strict table, found table"),
        Edit(
            "users", "email text not null unique", "email text not null", "unique (email) of users is missing"),
        Edit(
            "plan_terms", "primary key (plan_id, valid_from)", "primary key (valid_from, plan_id)",
            "the primary key of plan_terms: expected (plan_id, valid_from), found (valid_from, plan_id)"),
        Edit(
            "compute_unit_buckets", "generated always as (granted - consumed + adjusted + carried) stored", "",
            """
            column compute_unit_buckets.remaining: expected integer generated always as \
            (granted - consumed + adjusted + carried) stored, found integer
            """),
        Edit(
            "compute_unit_ledger", "integer primary key autoincrement", "integer primary key",
            "column compute_unit_ledger.id: expected integer autoincrement, found integer"),
        Edit("users", "full_name text", "x integer not null, full_name text", "column users.x is not expected"),
        Edit(
            "users", "full_name text", "full_name text not null",
            "column users.full_name: expected text, found text not null"),
        Edit(
            "users", uuidDefault, "",
            """
            column users.id: \
            expected “text not null default lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2 …”, \
            found “text not null”
            """),
        Edit(
            "users", "check (length(id) = 36 and id = lower(id))", "",
            "check (length(id) = 36 and id = lower(id)) of users is missing"),
        Edit("plan_variants", "not null primary key", "not null", "the primary key of plan_variants is missing"),
        Edit(
            "users", "full_name text", "full_name text unique", "unique (full_name) of users is not expected"),
        Edit(
            "tasks", "on delete cascade", "on delete cascade on update cascade",
            """
            foreign key (user_id) to users (id) of tasks: \
            expected on delete cascade, found on delete cascade on update cascade
            """),
        Edit(
            "tasks", "description text", "description text references task_logs (id)",
            "foreign key (description) to task_logs (id) of tasks is not expected"),
        Edit(
            "tasks", "on delete cascade", "on delete cascade references users (id) on delete restrict",
            "a further foreign key (user_id) to users (id) of tasks is not expected: on delete restrict"),
        Edit(
            "tasks", "on delete cascade", "on delete cascade deferrable initially deferred",
            """
            foreign key (user_id) to users (id) of tasks: \
            expected on delete cascade, found on delete cascade deferrable initially deferred
            """),
        // One of two, to be told from the other.
        Edit(
            "compute_unit_ledger", "references webhook_events (id) on delete set null",
            "references webhook_events (id) on delete set null deferrable",
            """
            foreign key (event_id) to webhook_events (id) of compute_unit_ledger: \
            expected on delete set null, found on delete set null deferrable
            """),
        Edit(
            "users", "email text not null unique", "email text not null on conflict ignore unique",
            "column users.email: expected text not null, found text not null on conflict ignore"),
        Edit(
            "users", "email text not null unique", "email text not null unique on conflict replace",
            "unique (email) of users: expected nothing more, found on conflict replace"),
        Edit(
            "users", "email text not null unique", "email text collate nocase not null unique",
            "column users.email: expected text not null, found text collate nocase not null"),
        Edit(
            "plan_terms", "primary key (plan_id, valid_from)", "primary key (plan_id, valid_from) on conflict ignore",
            "the primary key of plan_terms: expected (plan_id, valid_from), found (plan_id, valid_from) on conflict ignore"
        ),
        Edit(
            "plan_terms", "primary key (plan_id, valid_from)", "primary key (plan_id collate nocase, valid_from)",
            "the primary key of plan_terms: expected (plan_id, valid_from), found (plan_id, valid_from) collate nocase"),
        // Says what holds without a word.
        Edit(
            "users", "email text not null unique",
            "email text collate binary not null on conflict abort unique on conflict abort"),
        Edit("tasks", "on delete cascade", "on delete cascade not deferrable initially immediate"),
        Edit(
            "plan_terms", ") strict", ") strict, without rowid",
            "table plan_terms: expected strict table, found strict table without rowid"),
        Edit(
            "schema_migrations", "version integer", "version text",
            "column schema_migrations.version: expected integer, found text not null"),
        Edit(
            "schema_migrations", ") strict", ")", "table schema_migrations: expected strict table, found table"),
    ]

    @Test(arguments: edits)
    func `damage that SQLite can take is seen`(edit: Edit) async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let create = try await database.values("select sql from sqlite_schema where name = '\(edit.table)'")
            let changed = try #require(create.first).replacing(edit.old, with: edit.new)
            try #require(changed != create.first)
            // Another spelling makes no difference.
            let spelled = changed.uppercasedWords.replacing("(", with: " ( ")
            let others = try await database.values(
                """
                select sql from sqlite_schema where tbl_name = '\(edit.table)' and type <> 'table' and sql is not null
                """)
            try await database.execute(
                "pragma foreign_keys = off; drop view account_entitlements; drop table \(edit.table)")
            try await database.execute((["pragma foreign_keys = off", spelled] + others).joined(separator: ";\n"))
            let store = try database.open()
            let report = try await store.validateSchema()
            let sentences = report.differences.map(\.sentence).filter { $0 != "view account_entitlements is missing" }
            #expect(sentences == edit.differences)
            await store.close()
        }
    }

    @Test(
        arguments: [
            Damage(
                "drop trigger update_tasks_updated_at", "trigger update_tasks_updated_at on tasks is missing"),
            Damage(
                """
                drop trigger update_tasks_updated_at;
                create trigger update_tasks_updated_at after update on tasks begin select 1; end
                """,
                """
                trigger update_tasks_updated_at on tasks: expected \
                “after update on tasks begin update tasks set updated_at = strftime('%Y-%m-%dT%H: …”, \
                found “after update on tasks begin select 1; end”
                """),
            Damage(
                "create trigger meddle after insert on tasks begin select 1; end",
                "trigger meddle on tasks is not expected"),
            Damage(
                """
                drop index idx_webhook_events_retry;
                create index idx_webhook_events_retry on webhook_events (next_attempt_at) where outcome = 'parked'
                """,
                """
                index idx_webhook_events_retry: expected (next_attempt_at) where outcome = 'failed', \
                found (next_attempt_at) where outcome = 'parked'
                """),
            Damage(
                "drop index idx_tasks_status; create index idx_tasks_status on tasks (status desc)",
                "index idx_tasks_status: expected (status), found (status desc)"),
            Damage(
                "drop index idx_tasks_status; create index idx_tasks_status on tasks (status collate nocase)",
                "index idx_tasks_status: expected (status), found (status collate nocase)"),
            Damage(
                "drop table schema_migrations; create table schema_migrations (version text primary key) strict",
                "column schema_migrations.applied_at is missing", "column schema_migrations.checksum is missing",
                "column schema_migrations.name is missing",
                "column schema_migrations.version: expected integer, found text not null",
                "check (length(checksum) <= 64) of schema_migrations is missing",
                "check (length(name) <= 100) of schema_migrations is missing"),
            Damage(
                """
                pragma writable_schema = on;
                update sqlite_schema set sql = replace(sql, '    id text', '    id int')
                where name = 'subscription_plans';
                pragma writable_schema = reset;
                insert into subscription_plans (id, name, monthly_compute_units, max_concurrent_tasks, price_cents)
                values (7, 'Seven', 1, 1, 1)
                """,
                "column subscription_plans.id: expected text not null, found int not null"),
        ])
    func `triggers, indexes and more that SQLite has lost or that are others are seen`(damage: Damage) async throws {
        try await damage.check(on: .sqlite)
    }
}
