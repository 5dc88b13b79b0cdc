/// The seven tables as SQLAlchemy's `create_all` makes them for another program: no extensions, its own names of indexes,
/// keys without cascades, no checks, no triggers, no defaults but for times, most columns may be null, ids without a
/// default, and a column that is not ours.
public enum CreateAll {
    public static let tables = """
        create table users (
            id uuid not null, email varchar(255) not null, full_name varchar(255), google_id varchar(255),
            is_active boolean, subscription_tier varchar(50), compute_units_remaining integer,
            compute_units_reset_date timestamp with time zone,
            created_at timestamp with time zone default now(), updated_at timestamp with time zone default now(),
            primary key (id)
        );
        create unique index ix_users_email on users (email);
        create unique index ix_users_google_id on users (google_id);
        create index ix_users_id on users (id);
        create table subscription_plans (
            id varchar(50) not null, name varchar(100) not null, description text,
            monthly_compute_units integer not null, max_concurrent_tasks integer not null, price_cents integer not null,
            lemon_squeezy_variant_id varchar(100), is_active boolean,
            created_at timestamp with time zone default now(),
            primary key (id), unique (lemon_squeezy_variant_id)
        );
        create table user_subscriptions (
            id uuid not null, user_id uuid not null, plan_id varchar(50) not null,
            lemon_squeezy_subscription_id varchar(100), status varchar(50),
            current_period_start timestamp with time zone, current_period_end timestamp with time zone,
            cancel_at_period_end boolean, created_at timestamp with time zone default now(),
            updated_at timestamp with time zone default now(),
            primary key (id), foreign key (user_id) references users (id),
            foreign key (plan_id) references subscription_plans (id)
        );
        create index ix_user_subscriptions_user_id on user_subscriptions (user_id);
        create table tasks (
            id uuid not null, user_id uuid not null, name varchar(255) not null, description text,
            task_type varchar(50), config jsonb not null, status varchar(50), priority integer,
            scheduled_at timestamp with time zone, started_at timestamp with time zone,
            completed_at timestamp with time zone, compute_units_consumed integer, estimated_compute_units integer,
            progress integer, error_message text, result_file_path varchar(500), celery_task_id varchar(255),
            created_at timestamp with time zone default now(), updated_at timestamp with time zone default now(),
            primary key (id), foreign key (user_id) references users (id)
        );
        create index ix_tasks_status on tasks (status);
        create index ix_tasks_celery_task_id on tasks (celery_task_id);
        create table task_logs (
            id uuid not null, task_id uuid not null, level varchar(20), message text not null, metadata jsonb,
            timestamp timestamp with time zone default now(),
            primary key (id), foreign key (task_id) references tasks (id)
        );
        create table api_keys (
            id uuid not null, user_id uuid not null, name varchar(100) not null, description varchar(500),
            key_hash varchar(128) not null, key_prefix varchar(10) not null,
            last_used_at timestamp with time zone, is_active boolean,
            created_at timestamp with time zone default now(),
            primary key (id), foreign key (user_id) references users (id)
        );
        create table usage_analytics (
            id uuid not null, user_id uuid not null, date date not null, tasks_executed integer,
            compute_units_used integer, api_calls integer, created_at timestamp with time zone default now(),
            primary key (id), foreign key (user_id) references users (id)
        );
        create index ix_usage_analytics_date on usage_analytics (date);
        create table alembic_version (version_num varchar(32) not null primary key);
        """

    /// A customer in each status, one with a complimentary plan, one with nothing; of each the units that are left are
    /// told by the position. The periods contain now.
    public static let statuses = ["active", "on_trial", "past_due", "cancelled", "unpaid", "expired", "paused"]

    public static func user(_ number: Int) -> String {
        "00000000-0000-4000-8000-0000000001\(number < 10 ? "0" : "")\(number)"
    }

    public static let rows =
        """
        insert into subscription_plans (
            id, name, monthly_compute_units, max_concurrent_tasks, price_cents, lemon_squeezy_variant_id
        )
        values ('free', 'Free', 100, 1, 0, null), ('professional', 'Pro', 5000, 10, 4900, '888');
        """
        + statuses.enumerated().map { number, status in
            let paid = ["active", "on_trial", "past_due", "cancelled"].contains(status)
            return """
                insert into users (id, email, subscription_tier, compute_units_remaining, compute_units_reset_date)
                values (
                    '\(user(number))', '\(status)@example.com', '\(paid ? "professional" : "free")', \(paid ? 300 + number : 40),
                    now() + interval '10 days'
                );
                insert into user_subscriptions (
                    id, user_id, plan_id, lemon_squeezy_subscription_id, status, current_period_start,
                    current_period_end, cancel_at_period_end
                )
                values (
                    gen_random_uuid(), '\(user(number))', 'professional', '\(920_000 + number)', '\(status)',
                    date_trunc('second', now()) - interval '10 days', date_trunc('second', now()) + interval '20 days',
                    null
                );
                """
        }.joined()
            + """
            insert into users (id, email, subscription_tier, compute_units_remaining)
            values ('\(user(20))', 'friend@example.com', 'professional', 4000);
            insert into user_subscriptions (id, user_id, plan_id, status)
            values ('00000000-0000-4000-8000-000000000900', '\(user(20))', 'professional', 'active');
            insert into users (id, email) values ('\(user(21))', 'nobody@example.com');
            insert into tasks (id, user_id, name, config, celery_task_id)
            values (gen_random_uuid(), '\(user(0))', 'scrape', '{"url": "https://example.com"}', 'celery-1');
            insert into task_logs (id, task_id, message) select gen_random_uuid(), id, 'm' from tasks where false;
            insert into api_keys (id, user_id, name, key_hash, key_prefix)
            values (gen_random_uuid(), '\(user(0))', 'key', 'hash', 'sk_1');
            insert into usage_analytics (id, user_id, date, api_calls)
            values (gen_random_uuid(), '\(user(0))', '2026-10-01', 3);
            insert into alembic_version values ('abc');
            """
}
