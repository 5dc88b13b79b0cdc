import TestSupport

/// A database as it is after years: 100,000 accounts, 1,000,000 tasks, and what belongs to them.
enum Crowd {
    /// Tables of a few rows, which are read whole.
    static let small: Set = [
        "billing_settings", "subscription_plans", "plan_variants", "plan_terms", "schema_migrations",
        "operator_actions", "catalog_version", "subscription_checkpoints", "subscription_overwrites", "reconcile_runs",
    ]

    static let large: Set = [
        "users", "tasks", "task_logs", "webhook_events", "user_subscriptions", "api_keys", "usage_analytics",
        "compute_unit_buckets", "compute_unit_charges", "compute_unit_ledger",
    ]

    /// - Parameter isAnalyzed: whether the database gets statistics of it, those of large tables: PostgreSQL makes none of
    ///   tables that hardly change.
    static func fill(_ database: TestDatabase, isAnalyzed: Bool = true) async throws {
        for statement in database.kind == .postgreSQL ? postgreSQL : sqlite
        where isAnalyzed || !statement.contains("analyze") {
            try await database.execute(statement)
        }
    }

    private static let postgreSQL =
        [
            """
            insert into users (email, google_id, created_at, billing_due_at, billing_revision)
            select 'user' || n || '@example.com', 'google-' || n, now() - (100000 - n) * interval '5 minutes',
                now() + n * interval '20 seconds', 1
            from generate_series(1, 100000) as n
            """,
            """
            insert into tasks (user_id, name, config, status, created_at)
            select u.id, 'task ' || n, '{}', case n % 50 when 0 then 'running' else 'completed' end,
                now() - n * interval '1 day'
            from generate_series(1, 10) as n cross join users u
            """,
            """
            insert into task_logs (task_id, level, message, timestamp)
            select id, 'info', 'ended', created_at + interval '1 minute' from tasks limit 200000
            """,
        ] + common(number: "row_number() over ()", hash: "sha256((row_number() over ())::text::bytea)")
        + ["vacuum analyze \(large.sorted().joined(separator: ", "))"]

    private static let sqlite =
        [
            """
            with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 100000)
            insert into users (email, google_id, created_at, billing_due_at, billing_revision)
            select 'user' || n || '@example.com', 'google-' || n,
                strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ((n - 100000) * 300) || ' seconds'),
                strftime('%Y-%m-%dT%H:%M:%fZ', 'now', (n * 20) || ' seconds'), 1
            from numbers
            """,
            """
            with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 10)
            insert into tasks (user_id, name, config, status, created_at)
            select u.id, 'task ' || n, '{}', case n % 50 when 0 then 'running' else 'completed' end,
                strftime('%Y-%m-%dT%H:%M:%fZ', 'now', (-n) || ' days')
            from numbers cross join users u
            """,
            """
            insert into task_logs (task_id, level, message, timestamp)
            select id, 'info', 'ended', created_at from tasks limit 200000
            """,
        ]
        + common(
            number: "row_number() over ()", hash: "cast(printf('%032d', row_number() over ()) as blob)")
        + ["analyze"]

    /// What both databases understand. One event in a hundred waits for its account.
    private static func common(number: String, hash: String) -> [String] {
        [
            """
            insert into webhook_events (
                body, body_sha256, signature, matched_secret, event_name, kind, subscription_id, customer_id,
                claimed_user_id, email, status, variant_id, outcome, reason, user_id, decoder
            )
            select \(hash), \(hash), 'signature', 'current', 'subscription_updated', 'subscription', cast(n as varchar(9)), cast(n as varchar(9)), user_id,
                email, 'active', 'none', case n % 100 when 0 then 'parked' else 'applied' end,
                case n % 100 when 0 then 'unknown_plan' end, case n % 100 when 0 then null else user_id end, 2
            from (select id as user_id, email, \(number) as n from users) as numbered
            """,
            """
            -- Ours: those of another program the clock would adopt.
            insert into user_subscriptions (
                user_id, plan_id, lemon_squeezy_subscription_id, source_updated_at, units_until, source
            )
            select id, 'starter', 'sub-' || \(number), created_at, created_at, 'provider' from users limit 50000
            """,
            """
            insert into api_keys (user_id, name, key_hash, key_prefix)
            select id, 'key', 'hash-' || \(number), 'slx_' from users
            """,
            "insert into usage_analytics (user_id, date, tasks_executed) select id, '2026-10-01', 1 from users",
            """
            insert into compute_unit_buckets (
                user_id, line, begins_at, ends_at, unlocked_at, granted, consumed, adjusted, carried
            )
            select id, 'free', created_at, compute_units_reset_date, created_at, 100, 0, 0, 0 from users
            """,
            """
            insert into compute_unit_charges (user_id, line, begins_at, consumed, first_at)
            select id, 'free', created_at, 1, created_at from users
            union all
            select user_id, lemon_squeezy_subscription_id, source_updated_at, 1, source_updated_at
            from user_subscriptions
            """,
            """
            insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at)
            select id, 'grant', 100, 100, 'free', created_at from users
            """,
        ]
    }
}
