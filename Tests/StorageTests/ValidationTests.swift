import Storage
import TestSupport
import Testing

/// Damage, and what is said of it.
@Suite struct ValidationTests {
    struct Damage: Sendable, CustomTestStringConvertible {
        var sql: String
        var differences: [String]
        var notes: [String] = []

        init(_ sql: String, _ differences: String..., notes: [String] = []) {
            self.sql = sql
            self.differences = differences
            self.notes = notes
        }

        var testDescription: String { sql.split(separator: "\n").joined(separator: " ") }
    }

    private func check(_ damage: Damage, _ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.execute(damage.sql)
            let store = try database.open()
            let report = try await store.validateSchema()
            #expect(report.differences.map(\.sentence) == damage.differences)
            #expect(report.notes == damage.notes)
            await store.close()
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what migrate has made has no differences, whatever is stored in it`(kind: DatabaseKind) async throws {
        try await check(
            Damage(
                """
                insert into users (email) values ('ada@example.com');
                update subscription_plans set price_cents = 2100, name = 'Begin' where id = 'starter';
                insert into subscription_plans (id, name, monthly_compute_units, max_concurrent_tasks, price_cents)
                values ('gold', 'Gold', 1, 1, 1)
                """), kind)
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
            #expect(sentences.last == "migration 2 (entitlements) has not been applied")
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
            "delete from schema_migrations", "migration 1 (init) has not been applied",
            "migration 2 (entitlements) has not been applied"),
        Damage(
            "update schema_migrations set checksum = '00' where version = 1",
            "migration 1 (init) was changed after it had been applied"),
        Damage(
            "insert into schema_migrations (version, name) values (99, 'future')",
            "the database is newer than this program: it has migration 99"),
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
        try await check(damage, .postgreSQL)
    }

    @Test(arguments: common)
    func `damage is seen on SQLite`(damage: Damage) async throws {
        var damage = damage
        damage.sql = damage.sql.replacing("varchar(10)", with: "text")
        try await check(damage, .sqlite)
    }

    static let postgreSQL = [
        Damage(
            "alter table tasks alter priority type bigint",
            "column tasks.priority: expected integer not null default 0, found bigint not null default 0"),
        Damage(
            "alter table tasks alter priority drop not null",
            "column tasks.priority: expected integer not null default 0, found integer default 0"),
        Damage(
            "alter table tasks alter priority set default 5",
            "column tasks.priority: expected integer not null default 0, found integer not null default 5"),
        Damage(
            "alter table tasks alter priority drop default",
            "column tasks.priority: expected integer not null default 0, found integer not null"),
        Damage(
            "alter table users alter full_name set not null",
            "column users.full_name: expected character varying(255), found character varying(255) not null"),
        Damage(
            "alter table api_keys alter key_hash type varchar(64)",
            "column api_keys.key_hash: expected character varying(128) not null, found character varying(64) not null"),
        Damage(
            "alter table task_logs alter metadata type json", "column task_logs.metadata: expected jsonb, found json"),
        Damage(
            "alter table usage_analytics alter id type text",
            """
            column usage_analytics.id: expected uuid not null default gen_random_uuid(), \
            found text not null default gen_random_uuid()
            """),
        Damage(
            "alter table webhook_events alter arrival drop identity",
            """
            column webhook_events.arrival: expected bigint not null generated always as identity, found bigint not null
            """),
        Damage(
            "alter table compute_unit_buckets alter remaining drop expression",
            """
            column compute_unit_buckets.remaining: expected bigint generated always as \
            (granted - consumed + adjusted + carried) stored, found bigint
            """),
        Damage(
            "alter table tasks alter name type varchar(255) collate \"C\"",
            """
            column tasks.name: expected character varying(255) not null, \
            found character varying(255) collate "C" not null
            """),
        Damage("alter table task_logs drop constraint task_logs_pkey", "the primary key of task_logs is missing"),
        Damage(
            """
            alter table plan_terms drop constraint plan_terms_pkey, add primary key (valid_from, plan_id)
            """,
            "the primary key of plan_terms: expected (plan_id, valid_from), found (valid_from, plan_id)"),
        Damage("alter table users drop constraint users_email_key", "unique (email) of users is missing"),
        Damage(
            "alter table tasks drop constraint tasks_user_id_fkey",
            "foreign key (user_id) to users (id) of tasks is missing"),
        Damage(
            """
            alter table tasks drop constraint tasks_user_id_fkey, add foreign key (user_id) references users (id)
            """,
            "foreign key (user_id) to users (id) of tasks: expected on delete cascade, found on delete no action"),
        Damage(
            """
            alter table tasks drop constraint tasks_user_id_fkey,
                add foreign key (user_id) references users (id) on delete cascade not valid
            """,
            """
            foreign key (user_id) to users (id) of tasks: expected on delete cascade, found on delete cascade not valid
            """),
        Damage(
            "alter table tasks drop constraint tasks_progress_check",
            "check (progress >= 0 and progress <= 100) of tasks is missing"),
        Damage(
            """
            alter table tasks drop constraint tasks_progress_check, add check (progress between 0 and 50)
            """,
            "check (progress >= 0 and progress <= 100) of tasks is missing",
            "check (progress >= 0 and progress <= 50) of tasks is not expected"),
        Damage(
            "alter table users add check (length(email) > 3)",
            "check (length(email::text) > 3) of users is not expected"),
        Damage("alter table users add unique (full_name)", "unique (full_name) of users is not expected"),
        Damage("alter table users add column x integer not null", "column users.x is not expected"),
        Damage(
            """
            drop index idx_webhook_events_retry;
            create index idx_webhook_events_retry on webhook_events (next_attempt_at) where outcome = 'parked'
            """,
            """
            index idx_webhook_events_retry: expected btree (next_attempt_at) where outcome::text = 'failed'::text, \
            found btree (next_attempt_at) where outcome::text = 'parked'::text
            """),
        Damage(
            "drop trigger update_tasks_updated_at on tasks", "trigger update_tasks_updated_at on tasks is missing"),
        Damage(
            "alter table tasks disable trigger update_tasks_updated_at",
            """
            trigger update_tasks_updated_at on tasks: \
            expected before update on tasks for each row execute function update_updated_at_column(), \
            found before update on tasks for each row execute function update_updated_at_column() disabled
            """),
        Damage(
            """
            create trigger meddle before insert on tasks for each row execute function update_updated_at_column()
            """,
            "trigger meddle on tasks is not expected"),
        Damage(
            "drop function record_plan_terms cascade",
            "function record_plan_terms() is missing",
            "trigger record_subscription_plans_terms on subscription_plans is missing"),
        Damage(
            """
            create or replace function update_updated_at_column() returns trigger language plpgsql as $$
            begin
                -- Never.
                return new;
            end $$
            """,
            """
            function update_updated_at_column(): \
            expected returns trigger language plpgsql as begin new.updated_at = now(); return new; end, \
            found returns trigger language plpgsql as begin return new; end
            """),
        Damage("drop extension pgcrypto", "extension pgcrypto is missing"),
        Damage("drop extension \"uuid-ossp\"", "extension uuid-ossp is missing"),
        Damage(
            """
            create or replace function record_plan_terms() returns trigger language plpgsql as $$
            begin
                if tg_op = 'UPDATE' then
                    return new;
                end if;
            end $$
            """,
            """
            function record_plan_terms(): \
            expected “… as begin if tg_op = 'UPDATE' and new.monthly_compute_units = old.monthly_comput …”, \
            found “… as begin if tg_op = 'UPDATE' then return new; end if; end”
            """),
        Damage("alter table task_logs set unlogged", "table task_logs: expected table, found unlogged table"),
        Damage(
            "drop table tasks cascade", "table tasks is missing",
            "foreign key (task_id) to tasks (id) of task_logs is missing"),
    ]

    @Test(arguments: postgreSQL)
    func `damage that PostgreSQL can take is seen`(damage: Damage) async throws {
        try await check(damage, .postgreSQL)
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

    /// SQLite cannot alter a column: the table is made again, with one thing in its text replaced.
    struct Edit: Sendable, CustomTestStringConvertible {
        var table: String
        var old: String
        var new: String
        var differences: [String]

        init(_ table: String, _ old: String, _ new: String, _ differences: String...) {
            (self.table, self.old, self.new, self.differences) = (table, old, new, differences)
        }

        var testDescription: String { "\(table): \(old) → \(new)" }
    }

    static let sqlite = [
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
    ]

    @Test(arguments: sqlite)
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
        ])
    func `triggers and indexes that SQLite has lost or that are others are seen`(damage: Damage) async throws {
        try await check(damage, .sqlite)
    }
}
