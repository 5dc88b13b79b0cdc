-- The schema of Selextract Cloud on SQLite, complete: the twin of init.sql, as far as SQLite has the types.
-- UUIDs are lower-case text; times are ISO-8601 UTC text with milliseconds, so that they sort as text; JSON is text
-- that is checked; booleans are 0 and 1. Running it again changes nothing.
-- Another program may insert into the seven shared tables naming only the columns it knows:
-- every column that is ours alone has a default or may be null.
-- Triggers that touch the row they are fired by rely on `recursive_triggers` being off, SQLite's default.

-- Accounts -----------------------------------------------------------------------------------------------------

create table if not exists users (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    email text not null unique check (length(email) <= 255),
    full_name text check (length(full_name) <= 255),
    google_id text unique check (length(google_id) <= 255),
    is_active integer not null default 1 check (is_active in (0, 1)),
    subscription_tier text not null default 'free' check (length(subscription_tier) <= 50),
    compute_units_remaining integer not null default 100 check (compute_units_remaining >= 0),
    -- SQLite's '+1 month' of 31 January is 3 March: the month after ends no later than its own last day.
    compute_units_reset_date text not null default (
        min(
            strftime('%Y-%m-%d', 'now', '+1 month'), strftime('%Y-%m-%d', 'now', 'start of month', '+2 months', '-1 day')
        ) || strftime('T%H:%M:%fZ', 'now')
    ),
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    -- When the clock has to look at this account next (R17); a new account is looked at at once.
    billing_due_at text default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;
create index if not exists idx_users_email on users (email);
create index if not exists idx_users_email_lower on users (lower(email));
create index if not exists idx_users_google_id on users (google_id);
create index if not exists idx_users_created_at on users (created_at, id);
create index if not exists idx_users_billing_due_at on users (billing_due_at);
create trigger if not exists update_users_updated_at after update on users
begin
    update users set updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where id = new.id;
end;

-- Work ---------------------------------------------------------------------------------------------------------

create table if not exists tasks (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    user_id text not null references users (id) on delete cascade,
    name text not null check (length(name) <= 255),
    description text,
    task_type text not null default 'simple_scraping' check (length(task_type) <= 50),
    config text not null check (json_valid(config)),
    status text not null default 'pending'
        check (status in ('pending', 'queued', 'running', 'completed', 'failed', 'cancelled')),
    priority integer not null default 0,
    scheduled_at text,
    started_at text,
    completed_at text,
    compute_units_consumed integer not null default 0 check (compute_units_consumed >= 0),
    estimated_compute_units integer not null default 1 check (estimated_compute_units >= 0),
    progress integer not null default 0 check (progress between 0 and 100),
    error_message text,
    result_file_path text check (length(result_file_path) <= 500),
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;
create index if not exists idx_tasks_user_id on tasks (user_id);
create index if not exists idx_tasks_status on tasks (status);
create index if not exists idx_tasks_scheduled_at on tasks (scheduled_at);
create index if not exists idx_tasks_created_at on tasks (created_at);
create index if not exists idx_tasks_user_status on tasks (user_id, status);
create index if not exists idx_tasks_user_created on tasks (user_id, created_at);
create trigger if not exists update_tasks_updated_at after update on tasks
begin
    update tasks set updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where id = new.id;
end;

create table if not exists task_logs (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    task_id text not null references tasks (id) on delete cascade,
    level text not null check (level in ('debug', 'info', 'warning', 'error')),
    message text not null,
    metadata text check (json_valid(metadata)),
    timestamp text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;
create index if not exists idx_task_logs_task_id on task_logs (task_id);
create index if not exists idx_task_logs_timestamp on task_logs (timestamp);

-- Plans --------------------------------------------------------------------------------------------------------

create table if not exists subscription_plans (
    id text not null primary key check (length(id) <= 50),
    name text not null check (length(name) <= 100),
    description text,
    monthly_compute_units integer not null check (monthly_compute_units >= 0),
    max_concurrent_tasks integer not null check (max_concurrent_tasks >= 0),
    price_cents integer not null check (price_cents >= 0),
    lemon_squeezy_variant_id text unique check (length(lemon_squeezy_variant_id) <= 100),
    is_active integer not null default 1 check (is_active in (0, 1)),
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;

-- Further variants that mean a plan: yearly ones, old prices (R6).
create table if not exists plan_variants (
    variant_id text not null primary key check (length(variant_id) <= 100),
    plan_id text not null references subscription_plans (id) on delete cascade,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;
create index if not exists idx_plan_variants_plan on plan_variants (plan_id);

-- What a plan's month gave from when on: editing a plan changes later months only (R13).
create table if not exists plan_terms (
    plan_id text not null references subscription_plans (id) on delete cascade,
    valid_from text not null,
    monthly_compute_units integer not null check (monthly_compute_units >= 0),
    primary key (plan_id, valid_from)
) strict;

create trigger if not exists record_subscription_plans_first_terms after insert on subscription_plans
begin
    insert into plan_terms (plan_id, valid_from, monthly_compute_units)
    values (new.id, '1970-01-01T00:00:00.000Z', new.monthly_compute_units)
    on conflict (plan_id, valid_from) do update set monthly_compute_units = excluded.monthly_compute_units;
end;
create trigger if not exists record_subscription_plans_terms after update of monthly_compute_units on subscription_plans
when new.monthly_compute_units <> old.monthly_compute_units
begin
    insert into plan_terms (plan_id, valid_from, monthly_compute_units)
    values (new.id, strftime('%Y-%m-%dT%H:%M:%S.000Z', 'now'), new.monthly_compute_units)
    on conflict (plan_id, valid_from) do update set monthly_compute_units = excluded.monthly_compute_units;
end;

-- Variants are added, not replaced: subscribers of an old price keep their plan (R6).
create trigger if not exists keep_subscription_plans_variant
after update of lemon_squeezy_variant_id on subscription_plans
when old.lemon_squeezy_variant_id is not new.lemon_squeezy_variant_id and old.lemon_squeezy_variant_id is not null
begin
    insert into plan_variants (variant_id, plan_id) values (old.lemon_squeezy_variant_id, old.id)
    on conflict (variant_id) do nothing;
end;

insert into subscription_plans (id, name, description, monthly_compute_units, max_concurrent_tasks, price_cents)
values
    ('free', 'Free', 'To try it out', 100, 1, 0),
    ('starter', 'Starter', 'For small projects', 1000, 3, 1900),
    ('professional', 'Professional', 'For teams that scrape every day', 5000, 10, 4900),
    ('enterprise', 'Enterprise', 'For scraping at scale', 25000, 50, 9900)
on conflict (id) do nothing;

-- Subscriptions ------------------------------------------------------------------------------------------------

create table if not exists user_subscriptions (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    user_id text not null references users (id) on delete cascade,
    plan_id text not null references subscription_plans (id),
    lemon_squeezy_subscription_id text unique check (length(lemon_squeezy_subscription_id) <= 100),
    status text not null default 'active' check (length(status) <= 50),
    current_period_start text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    current_period_end text not null default (
        min(
            strftime('%Y-%m-%d', 'now', '+1 month'), strftime('%Y-%m-%d', 'now', 'start of month', '+2 months', '-1 day')
        ) || strftime('T%H:%M:%fZ', 'now')
    ),
    cancel_at_period_end integer not null default 0 check (cancel_at_period_end in (0, 1)),
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    -- R8: what the provider's latest snapshot says.
    lemon_squeezy_customer_id text check (length(lemon_squeezy_customer_id) <= 100),
    lemon_squeezy_order_id text check (length(lemon_squeezy_order_id) <= 100),
    lemon_squeezy_order_item_id text check (length(lemon_squeezy_order_item_id) <= 100),
    lemon_squeezy_product_id text check (length(lemon_squeezy_product_id) <= 100),
    lemon_squeezy_variant_id text check (length(lemon_squeezy_variant_id) <= 100),
    source_created_at text,
    source_updated_at text,
    renews_at text,
    ends_at text,
    trial_ends_at text,
    pause_mode text check (length(pause_mode) <= 50),
    pause_resumes_at text,
    -- The newest of its events: the moment one looks is never earlier.
    latest_event_at text
) strict;
create index if not exists idx_user_subscriptions_user_id on user_subscriptions (user_id);
create index if not exists idx_user_subscriptions_status on user_subscriptions (status);
create index if not exists idx_user_subscriptions_plan on user_subscriptions (plan_id);
create index if not exists idx_user_subscriptions_created_at on user_subscriptions (created_at, id);
create trigger if not exists update_user_subscriptions_updated_at after update on user_subscriptions
begin
    update user_subscriptions set updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where id = new.id;
end;

-- Access for programs ------------------------------------------------------------------------------------------

create table if not exists api_keys (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    user_id text not null references users (id) on delete cascade,
    name text not null check (length(name) <= 100),
    description text check (length(description) <= 500),
    key_hash text not null check (length(key_hash) <= 128),
    key_prefix text not null check (length(key_prefix) <= 10),
    last_used_at text,
    is_active integer not null default 1 check (is_active in (0, 1)),
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;
create index if not exists idx_api_keys_key_hash on api_keys (key_hash);
create index if not exists idx_api_keys_user_id on api_keys (user_id);
create index if not exists idx_api_keys_user_active on api_keys (user_id, is_active);

create table if not exists usage_analytics (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    user_id text not null references users (id) on delete cascade,
    date text not null default (date('now')) check (date is date(date)),
    tasks_executed integer not null default 0 check (tasks_executed >= 0),
    compute_units_used integer not null default 0 check (compute_units_used >= 0),
    api_calls integer not null default 0 check (api_calls >= 0),
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;
create unique index if not exists idx_usage_analytics_user_date on usage_analytics (user_id, date);

-- The inbox (R1, R2) -------------------------------------------------------------------------------------------

create table if not exists webhook_events (
    id text not null unique default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    -- Order of arrival, also within a transaction.
    arrival integer primary key autoincrement,
    -- The delivery: exact bytes (text cannot be trusted with \u0000), and proof that it is authentic.
    body blob not null,
    body_sha256 blob not null unique check (length(body_sha256) = 32),
    signature text not null check (length(signature) <= 64),
    matched_secret text not null check (matched_secret in ('current', 'previous')),
    deliveries integer not null default 1 check (deliveries > 0),
    received_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    last_received_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    -- The envelope.
    event_name text,
    webhook_id text,
    test_mode integer check (test_mode in (0, 1)),
    store_id text,
    data_type text,
    data_id text,
    kind text not null
        check (kind in ('subscription', 'invoice', 'order', 'other', 'undecodable', 'rejected')),
    -- What the rules read of it, decoded once, so that computing an account parses no bodies.
    subscription_id text check (length(subscription_id) <= 100),
    customer_id text check (length(customer_id) <= 100),
    claimed_user_id text,
    email text check (length(email) <= 255),
    status text,
    variant_id text check (length(variant_id) <= 100),
    order_id text check (length(order_id) <= 100),
    order_item_id text check (length(order_item_id) <= 100),
    product_id text check (length(product_id) <= 100),
    pause_mode text,
    pause_resumes_at text,
    trial_ends_at text,
    renews_at text,
    ends_at text,
    source_created_at text,
    source_updated_at text,
    snapshot_second integer,
    attributes_sha256 blob,
    billing_reason text,
    refunded integer check (refunded in (0, 1)),
    refunded_at text,
    currency text,
    total integer,
    refunded_amount integer,
    -- What became of it.
    outcome text not null
        check (outcome in ('applied', 'unchanged', 'parked', 'ignored', 'quarantined', 'rejected', 'failed')),
    reason text,
    user_id text references users (id) on delete set null,
    attempts integer not null default 0 check (attempts >= 0),
    next_attempt_at text
) strict;
create index if not exists idx_webhook_events_subscription on webhook_events (subscription_id);
create index if not exists idx_webhook_events_customer on webhook_events (customer_id);
create index if not exists idx_webhook_events_user on webhook_events (user_id);
create index if not exists idx_webhook_events_received on webhook_events (received_at, arrival);
-- Lists of the rare outcomes; those of the frequent ones are found at once in the order of arrival.
create index if not exists idx_webhook_events_outcome on webhook_events (outcome, received_at, arrival)
    where outcome not in ('applied', 'unchanged');
create index if not exists idx_webhook_events_claimed on webhook_events (claimed_user_id) where outcome = 'parked';
create index if not exists idx_webhook_events_email on webhook_events (lower(email)) where outcome = 'parked';
create index if not exists idx_webhook_events_variant on webhook_events (variant_id) where outcome = 'parked';
create index if not exists idx_webhook_events_retry on webhook_events (next_attempt_at) where outcome = 'failed';

-- What operators did: a rebuild has to know it (R0, R5, R15).
create table if not exists operator_actions (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    kind text not null check (kind in ('bind', 'adjust')),
    user_id text not null references users (id) on delete cascade,
    subscription_id text check (length(subscription_id) <= 100),
    units integer,
    line text check (length(line) <= 100),
    begins_at text,
    reason text,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    check (kind <> 'bind' or subscription_id is not null),
    check (kind <> 'adjust' or (units is not null and line is not null and begins_at is not null))
) strict;
create index if not exists idx_operator_actions_subscription on operator_actions (subscription_id);
create index if not exists idx_operator_actions_user on operator_actions (user_id);

-- Compute units ------------------------------------------------------------------------------------------------

-- R13: one row for each unlocked month of a line; a line is 'free' or the provider's subscription id.
create table if not exists compute_unit_buckets (
    user_id text not null references users (id) on delete cascade,
    line text not null check (length(line) <= 100),
    begins_at text not null,
    ends_at text not null,
    unlocked_at text not null,
    granted integer not null check (granted >= 0),
    consumed integer not null,
    adjusted integer not null,
    carried integer not null check (carried <= 0),
    remaining integer generated always as (granted - consumed + adjusted + carried) stored,
    primary key (user_id, line, begins_at),
    check (begins_at < ends_at and unlocked_at >= begins_at)
) strict;

-- R15: what was charged to a bucket, for good, under the key the bucket had at the time.
create table if not exists compute_unit_charges (
    line text not null check (length(line) <= 100),
    user_id text not null references users (id) on delete cascade,
    begins_at text not null,
    consumed integer not null default 0,
    adjusted integer not null default 0,
    first_at text not null,
    primary key (line, user_id, begins_at)
) strict;
create index if not exists idx_compute_unit_charges_user on compute_unit_charges (user_id);

-- R16: each change of the shown balance; the sum of an account's units is its balance.
create table if not exists compute_unit_ledger (
    id integer primary key autoincrement,
    user_id text not null references users (id) on delete cascade,
    kind text not null
        check (kind in ('grant', 'plan_change', 'switch', 'consume', 'external', 'adjust', 'correction')),
    units integer not null,
    balance integer not null check (balance >= 0),
    line text not null check (length(line) <= 100),
    begins_at text not null,
    event_id text references webhook_events (id) on delete set null,
    task_id text unique,
    shortfall integer not null default 0 check (shortfall >= 0),
    reason text,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;
create index if not exists idx_compute_unit_ledger_user on compute_unit_ledger (user_id, id);
create index if not exists idx_compute_unit_ledger_event on compute_unit_ledger (event_id);

-- The one permitted change is the foreign key's own: an event that was deleted.
create trigger if not exists keep_compute_unit_ledger before update on compute_unit_ledger
when new.event_id is not null
    or (new.id, new.user_id, new.kind, new.units, new.balance, new.line, new.begins_at, new.task_id, new.shortfall,
        new.reason, new.created_at)
    is not (old.id, old.user_id, old.kind, old.units, old.balance, old.line, old.begins_at, old.task_id, old.shortfall,
        old.reason, old.created_at)
begin
    select raise(abort, 'compute_unit_ledger is append-only');
end;

-- Entitlements: R9, R10 and R14 as SQL, for programs that read the database -------------------------------------

-- Looked up account by account, so that asking about one costs no more than that one.
drop view if exists account_entitlements;
create view account_entitlements as
with moment as (
    select strftime('%Y-%m-%dT%H:%M:%fZ', 'now') as at
), account as (
    select u.*,
        max(
            substr(m.at, 1, 20) || '000Z',
            coalesce(
                (
                    select max(s.latest_event_at) from user_subscriptions s
                    where s.user_id = u.id and s.source_updated_at is not null
                ),
                ''
            )
        ) as at
    from users u
    cross join moment m
), chosen as (
    select a.*,
        (
            select s.id
            from user_subscriptions s
            join subscription_plans p on p.id = s.plan_id
            -- Its present month, if that is unlocked.
            left join compute_unit_buckets b on b.user_id = s.user_id and b.line = s.lemon_squeezy_subscription_id
                and b.begins_at <= a.at and a.at < b.ends_at and b.unlocked_at <= a.at
            where s.user_id = a.id and s.source_updated_at is not null
                and case s.status
                    when 'on_trial' then true
                    when 'active' then true
                    when 'past_due' then true
                    when 'paused' then coalesce(s.pause_mode = 'free', false)
                        or coalesce(s.pause_resumes_at <= a.at, false)
                    when 'cancelled' then a.at < s.current_period_end
                    else false
                end
            order by b.line is not null desc,
                p.monthly_compute_units desc, p.price_cents desc, s.source_created_at desc,
                length(s.lemon_squeezy_subscription_id) desc, s.lemon_squeezy_subscription_id desc
            limit 1
        ) as subscription
    from account a
), shown as (
    select c.id, c.email, c.compute_units_remaining, c.compute_units_reset_date, e.id is not null as has_access,
        e.plan_id, e.lemon_squeezy_subscription_id, e.status, e.current_period_end, e.trial_ends_at,
        (
            select b.rowid
            from compute_unit_buckets b
            where b.user_id = c.id and b.line in ('free', e.lemon_squeezy_subscription_id) and b.unlocked_at <= c.at
            order by b.line = 'free', b.begins_at desc
            limit 1
        ) as bucket
    from chosen c
    left join user_subscriptions e on e.id = c.subscription
)
select s.id as user_id,
    s.email,
    coalesce(s.plan_id, 'free') as plan_id,
    s.has_access,
    s.lemon_squeezy_subscription_id,
    s.status,
    case s.status when 'cancelled' then s.current_period_end when 'on_trial' then s.trial_ends_at end as access_until,
    max(coalesce(b.remaining, s.compute_units_remaining), 0) as compute_units_remaining,
    coalesce(b.ends_at, s.compute_units_reset_date) as compute_units_reset_date
from shown s
left join compute_unit_buckets b on b.rowid = s.bucket;

-- Migrations ---------------------------------------------------------------------------------------------------

create table if not exists schema_migrations (
    version integer primary key,
    name text not null check (length(name) <= 100),
    -- SHA-256 of the file, hex; null until the program has seen a schema that was made with the file itself.
    checksum text check (length(checksum) <= 64),
    applied_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;
insert into schema_migrations (version, name) values (1, 'init') on conflict (version) do nothing;
