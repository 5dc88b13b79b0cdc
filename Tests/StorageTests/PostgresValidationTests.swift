import TestSupport
import Testing

@Suite struct PostgresValidationTests {
    static let damages = [
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
        Damage(
            "alter table user_subscriptions drop constraint user_subscriptions_lemon_squeezy_subscription_id_key",
            "unique (lemon_squeezy_subscription_id) of user_subscriptions is missing"),
        Damage(
            "drop index idx_users_email; create index idx_users_email on users (email)",
            "index idx_users_email: expected unique btree (email), found btree (email)"),
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
        // Keys, and what enforces them.
        Damage(
            "alter table user_subscriptions drop constraint user_subscriptions_lemon_squeezy_subscription_id_key, add unique (lemon_squeezy_subscription_id) deferrable",
            "unique (lemon_squeezy_subscription_id) of user_subscriptions: expected nothing more, found deferrable"),
        Damage(
            "alter table user_subscriptions drop constraint user_subscriptions_lemon_squeezy_subscription_id_key, add unique (lemon_squeezy_subscription_id) deferrable initially deferred",
            "unique (lemon_squeezy_subscription_id) of user_subscriptions: expected nothing more, found deferrable initially deferred"
        ),
        Damage(
            "alter table user_subscriptions drop constraint user_subscriptions_lemon_squeezy_subscription_id_key, add unique nulls not distinct (lemon_squeezy_subscription_id)",
            "unique (lemon_squeezy_subscription_id) of user_subscriptions: expected nothing more, found nulls not distinct"
        ),
        Damage(
            "alter table user_subscriptions add unique (lemon_squeezy_subscription_id) deferrable",
            "a further unique (lemon_squeezy_subscription_id) of user_subscriptions is not expected: deferrable"),
        // It refuses nothing that is not refused anyway.
        Damage(
            "alter table user_subscriptions add unique (lemon_squeezy_subscription_id); alter table users add check (compute_units_remaining >= 0)",
            notes: [
                "a further unique (lemon_squeezy_subscription_id) of user_subscriptions is not expected",
                "a further check (compute_units_remaining >= 0) of users is not expected",
            ]),
        Damage(
            "update pg_index set indisvalid = false where indexrelid = 'user_subscriptions_lemon_squeezy_subscription_id_key'::regclass",
            "unique (lemon_squeezy_subscription_id) of user_subscriptions: expected nothing more, found invalid"),
        Damage(
            "update pg_index set indisvalid = false where indexrelid = 'task_logs_pkey'::regclass",
            "the primary key of task_logs: expected (id), found (id) invalid"),
        Damage(
            "alter table users add exclude using btree (full_name with =)",
            "exclusion using btree (full_name with =) of users is not expected"),
        Damage(
            """
            alter table tasks drop constraint tasks_user_id_fkey,
                add foreign key (user_id) references users (id) on delete cascade deferrable
            """,
            """
            foreign key (user_id) to users (id) of tasks: expected on delete cascade, found on delete cascade deferrable
            """),
        Damage(
            """
            alter table tasks drop constraint tasks_user_id_fkey,
                add foreign key (user_id) references users (id) on delete cascade on update cascade
            """,
            """
            foreign key (user_id) to users (id) of tasks: \
            expected on delete cascade, found on delete cascade on update cascade
            """),
        Damage(
            "alter table tasks add foreign key (id) references task_logs (id)",
            "foreign key (id) to task_logs (id) of tasks is not expected"),
        Damage(
            "alter table tasks add foreign key (user_id) references users (id) on delete restrict",
            "a further foreign key (user_id) to users (id) of tasks is not expected: on delete restrict"),
        Damage(
            "alter table task_logs disable trigger all",
            """
            foreign key (task_id) to tasks (id) of task_logs: \
            expected on delete cascade, found on delete cascade disabled
            """),
        // On the side of what is referred to, too.
        Damage(
            "alter table tasks disable trigger all; alter table tasks enable trigger user",
            """
            foreign key (task_id) to tasks (id) of task_logs: \
            expected on delete cascade, found on delete cascade disabled
            """,
            "foreign key (user_id) to users (id) of tasks: expected on delete cascade, found on delete cascade disabled"
        ),
        Damage(
            """
            alter table plan_terms drop constraint plan_terms_monthly_compute_units_check,
                add check (monthly_compute_units >= 0) not valid
            """,
            "check (monthly_compute_units >= 0) of plan_terms: expected nothing more, found not valid"),
        // Indexes.
        Damage(
            "update pg_index set indisvalid = false where indexrelid = 'idx_tasks_status'::regclass",
            "index idx_tasks_status: expected btree (status), found btree (status) invalid"),
        Damage(
            "drop index idx_tasks_status; create index idx_tasks_status on tasks using hash (status)",
            "index idx_tasks_status: expected btree (status), found hash (status)"),
        Damage(
            "drop index idx_tasks_status; create index idx_tasks_status on tasks (status desc)",
            "index idx_tasks_status: expected btree (status), found btree (status desc)"),
        Damage(
            "drop index idx_tasks_status; create index idx_tasks_status on tasks (status varchar_pattern_ops)",
            "index idx_tasks_status: expected btree (status), found btree (status varchar_pattern_ops)"),
        Damage(
            "drop index idx_users_email_lower; create index idx_users_email_lower on users (upper(email))",
            "index idx_users_email_lower: expected btree (lower(email::text)), found btree (upper(email::text))"),
        // Triggers, rules and functions.
        Damage(
            """
            create or replace trigger update_tasks_updated_at after insert or update on tasks
                for each row execute function update_updated_at_column()
            """,
            """
            trigger update_tasks_updated_at on tasks: \
            expected before update on tasks for each row execute function update_updated_at_column(), \
            found after insert or update on tasks for each row execute function update_updated_at_column()
            """),
        Damage(
            "alter table tasks enable replica trigger update_tasks_updated_at",
            """
            trigger update_tasks_updated_at on tasks: \
            expected before update on tasks for each row execute function update_updated_at_column(), \
            found before update on tasks for each row execute function update_updated_at_column() enabled for replicas
            """),
        Damage(
            """
            create schema other;
            create function other.update_updated_at_column() returns trigger language plpgsql as 'begin return new; end';
            create or replace trigger update_tasks_updated_at before update on tasks
                for each row execute function other.update_updated_at_column()
            """,
            """
            trigger update_tasks_updated_at on tasks: \
            expected before update on tasks for each row execute function update_updated_at_column(), \
            found before update on tasks for each row execute function other.update_updated_at_column()
            """),
        Damage(
            "create rule meddle as on insert to tasks do instead nothing", "rule meddle on tasks is not expected"),
        Damage(
            "alter function update_updated_at_column() security definer",
            """
            function update_updated_at_column(): \
            expected returns trigger language plpgsql as begin new.updated_at = now(); return new; end, \
            found returns trigger language plpgsql security definer as begin new.updated_at = now(); return new; end
            """),
        Damage(
            "alter function update_updated_at_column() set search_path = ''",
            """
            function update_updated_at_column(): \
            expected “… urns trigger language plpgsql as begin new.updated_at = now(); return new; end”, \
            found “… urns trigger language plpgsql set search_path = "" as begin new.updated_at = now …”
            """),
        // Columns and tables.
        Damage(
            "alter table webhook_events alter arrival set generated by default",
            """
            column webhook_events.arrival: expected bigint not null generated always as identity, \
            found bigint not null generated by default as identity
            """),
        Damage(
            "alter table webhook_events alter arrival set increment 2 set minvalue 0 set maxvalue 9 set cycle",
            """
            column webhook_events.arrival: expected bigint not null generated always as identity, \
            found bigint not null generated always as identity (increment 2 minvalue 0 maxvalue 9 cycle)
            """),
        Damage(
            "alter table users alter id drop default",
            "column users.id: expected uuid not null default gen_random_uuid(), found uuid not null"),
        Damage(
            "alter table task_logs enable row level security",
            "table task_logs: expected table, found table, row level security enabled"),
        Damage(
            "alter table task_logs enable row level security, force row level security",
            "table task_logs: expected table, found table, row level security enabled and forced"),
        Damage(
            """
            alter table task_logs rename to old;
            create table task_logs (like old including all) partition by hash (id);
            alter table task_logs add foreign key (task_id) references tasks (id) on delete cascade;
            drop table old;
            alter index task_logs_task_id_idx rename to idx_task_logs_task_id;
            alter index task_logs_timestamp_idx rename to idx_task_logs_timestamp
            """,
            "table task_logs: expected table, found partitioned table"),
        Damage(
            """
            create schema other;
            create table other.plan_variants (
                variant_id varchar(100) primary key,
                plan_id varchar(50) not null,
                created_at timestamptz not null default now()
            );
            create index idx_plan_variants_plan on other.plan_variants (plan_id);
            do $$ begin
                execute format('alter database %I set search_path = other, public', current_database());
            end $$
            """,
            "foreign key (plan_id) to subscription_plans (id) of plan_variants is missing",
            "trigger renew_version_of_variants on plan_variants is missing"),
        Damage(
            """
            drop view account_entitlements;
            alter table subscription_plans drop constraint subscription_plans_pkey cascade;
            alter table subscription_plans alter id type integer using 1
            """,
            "column subscription_plans.id: expected character varying(50) not null, found integer not null",
            "the primary key of subscription_plans is missing",
            "foreign key (plan_id) to subscription_plans (id) of operator_actions is missing",
            "foreign key (plan_id) to subscription_plans (id) of plan_terms is missing",
            "foreign key (plan_id) to subscription_plans (id) of plan_variants is missing",
            "foreign key (plan_id) to subscription_plans (id) of user_subscriptions is missing",
            "view account_entitlements is missing", "plan enterprise is missing", "plan free is missing",
            "plan professional is missing", "plan starter is missing"),
        Damage(
            "alter table schema_migrations alter version type text",
            "column schema_migrations.version: expected integer not null, found text not null"),
        Damage(
            "alter table schema_migrations alter applied_at drop default, alter applied_at type text",
            """
            column schema_migrations.applied_at: expected timestamp with time zone not null default now(), \
            found text not null
            """),
        Damage(
            "drop table schema_migrations; create table schema_migrations (version varchar(255) primary key)",
            "column schema_migrations.applied_at is missing", "column schema_migrations.checksum is missing",
            "column schema_migrations.name is missing",
            "column schema_migrations.version: expected integer not null, found character varying(255) not null"),
    ]

    @Test(arguments: damages)
    func `damage that PostgreSQL can take is seen`(damage: Damage) async throws {
        try await damage.check(on: .postgreSQL)
    }
}
