-- The schema of Selextract Cloud on PostgreSQL, complete. `psql -f db/init.sql` on an empty database gives
-- exactly what `selextract-billing migrate` gives; running it again changes nothing.
-- Another program may insert into the seven shared tables naming only the columns it knows:
-- every column that is ours alone has a default or may be null.

create extension if not exists "uuid-ossp";
create extension if not exists pgcrypto;

create or replace function update_updated_at_column() returns trigger language plpgsql as $$
begin
    new.updated_at = now();
    return new;
end $$;

-- Accounts -----------------------------------------------------------------------------------------------------

create table if not exists users (
    id uuid primary key default gen_random_uuid(),
    email varchar(255) not null unique,
    full_name varchar(255),
    google_id varchar(255) unique,
    is_active boolean not null default true,
    subscription_tier varchar(50) not null default 'free',
    compute_units_remaining integer not null default 100 check (compute_units_remaining >= 0),
    compute_units_reset_date timestamptz not null default now() + interval '1 month',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- When the clock has to look at this account next (R17); a new account is looked at at once.
    billing_due_at timestamptz default now()
);
create index if not exists idx_users_email on users (email);
create index if not exists idx_users_email_lower on users (lower(email));
create index if not exists idx_users_google_id on users (google_id);
create index if not exists idx_users_created_at on users (created_at, id);
create index if not exists idx_users_billing_due_at on users (billing_due_at);
create or replace trigger update_users_updated_at before update on users
    for each row execute function update_updated_at_column();

-- Work ---------------------------------------------------------------------------------------------------------

create table if not exists tasks (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references users (id) on delete cascade,
    name varchar(255) not null,
    description text,
    task_type varchar(50) not null default 'simple_scraping',
    config jsonb not null,
    status varchar(50) not null default 'pending'
        check (status in ('pending', 'queued', 'running', 'completed', 'failed', 'cancelled')),
    priority integer not null default 0,
    scheduled_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    compute_units_consumed integer not null default 0 check (compute_units_consumed >= 0),
    estimated_compute_units integer not null default 1 check (estimated_compute_units >= 0),
    progress integer not null default 0 check (progress between 0 and 100),
    error_message text,
    result_file_path varchar(500),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index if not exists idx_tasks_user_id on tasks (user_id);
create index if not exists idx_tasks_status on tasks (status);
create index if not exists idx_tasks_scheduled_at on tasks (scheduled_at);
create index if not exists idx_tasks_created_at on tasks (created_at);
create index if not exists idx_tasks_user_status on tasks (user_id, status);
create index if not exists idx_tasks_user_created on tasks (user_id, created_at);
create or replace trigger update_tasks_updated_at before update on tasks
    for each row execute function update_updated_at_column();

create table if not exists task_logs (
    id uuid primary key default gen_random_uuid(),
    task_id uuid not null references tasks (id) on delete cascade,
    level varchar(20) not null check (level in ('debug', 'info', 'warning', 'error')),
    message text not null,
    metadata jsonb,
    timestamp timestamptz not null default now()
);
create index if not exists idx_task_logs_task_id on task_logs (task_id);
create index if not exists idx_task_logs_timestamp on task_logs (timestamp);

-- Plans --------------------------------------------------------------------------------------------------------

create table if not exists subscription_plans (
    id varchar(50) primary key,
    name varchar(100) not null,
    description text,
    monthly_compute_units integer not null check (monthly_compute_units >= 0),
    max_concurrent_tasks integer not null check (max_concurrent_tasks >= 0),
    price_cents integer not null check (price_cents >= 0),
    lemon_squeezy_variant_id varchar(100) unique,
    is_active boolean not null default true,
    created_at timestamptz not null default now()
);

-- Further variants that mean a plan: yearly ones, old prices (R6).
create table if not exists plan_variants (
    variant_id varchar(100) primary key,
    plan_id varchar(50) not null references subscription_plans (id) on delete cascade,
    created_at timestamptz not null default now()
);
create index if not exists idx_plan_variants_plan on plan_variants (plan_id);

-- What a plan's month gave from when on: editing a plan changes later months only (R13).
create table if not exists plan_terms (
    plan_id varchar(50) not null references subscription_plans (id) on delete cascade,
    valid_from timestamptz not null,
    monthly_compute_units integer not null check (monthly_compute_units >= 0),
    primary key (plan_id, valid_from)
);

create or replace function record_plan_terms() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.monthly_compute_units = old.monthly_compute_units then
        return new;
    end if;
    insert into plan_terms (plan_id, valid_from, monthly_compute_units)
    values (
        new.id,
        case tg_op when 'INSERT' then timestamptz '1970-01-01 00:00:00+00' else date_trunc('second', now()) end,
        new.monthly_compute_units
    )
    on conflict (plan_id, valid_from) do update set monthly_compute_units = excluded.monthly_compute_units;
    return new;
end $$;
create or replace trigger record_subscription_plans_terms
    after insert or update of monthly_compute_units on subscription_plans
    for each row execute function record_plan_terms();

-- Variants are added, not replaced: subscribers of an old price keep their plan (R6).
create or replace function keep_replaced_variant() returns trigger language plpgsql as $$
begin
    insert into plan_variants (variant_id, plan_id) values (old.lemon_squeezy_variant_id, old.id)
    on conflict (variant_id) do nothing;
    return new;
end $$;
create or replace trigger keep_subscription_plans_variant
    after update of lemon_squeezy_variant_id on subscription_plans
    for each row when (old.lemon_squeezy_variant_id is distinct from new.lemon_squeezy_variant_id
        and old.lemon_squeezy_variant_id is not null)
    execute function keep_replaced_variant();

insert into subscription_plans (id, name, description, monthly_compute_units, max_concurrent_tasks, price_cents)
values
    ('free', 'Free', 'To try it out', 100, 1, 0),
    ('starter', 'Starter', 'For small projects', 1000, 3, 1900),
    ('professional', 'Professional', 'For teams that scrape every day', 5000, 10, 4900),
    ('enterprise', 'Enterprise', 'For scraping at scale', 25000, 50, 9900)
on conflict (id) do nothing;

-- Subscriptions ------------------------------------------------------------------------------------------------

create table if not exists user_subscriptions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references users (id) on delete cascade,
    plan_id varchar(50) not null references subscription_plans (id),
    lemon_squeezy_subscription_id varchar(100) unique,
    status varchar(50) not null default 'active',
    current_period_start timestamptz not null default now(),
    current_period_end timestamptz not null default now() + interval '1 month',
    cancel_at_period_end boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- R8: what the provider's latest snapshot says.
    lemon_squeezy_customer_id varchar(100),
    lemon_squeezy_order_id varchar(100),
    lemon_squeezy_order_item_id varchar(100),
    lemon_squeezy_product_id varchar(100),
    lemon_squeezy_variant_id varchar(100),
    source_created_at timestamptz,
    source_updated_at timestamptz,
    renews_at timestamptz,
    ends_at timestamptz,
    trial_ends_at timestamptz,
    pause_mode varchar(50),
    pause_resumes_at timestamptz,
    -- The newest of its events: the moment one looks is never earlier.
    latest_event_at timestamptz
);
create index if not exists idx_user_subscriptions_user_id on user_subscriptions (user_id);
create index if not exists idx_user_subscriptions_status on user_subscriptions (status);
create index if not exists idx_user_subscriptions_plan on user_subscriptions (plan_id);
create index if not exists idx_user_subscriptions_created_at on user_subscriptions (created_at, id);
create or replace trigger update_user_subscriptions_updated_at before update on user_subscriptions
    for each row execute function update_updated_at_column();

-- Access for programs ------------------------------------------------------------------------------------------

create table if not exists api_keys (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references users (id) on delete cascade,
    name varchar(100) not null,
    description varchar(500),
    key_hash varchar(128) not null,
    key_prefix varchar(10) not null,
    last_used_at timestamptz,
    is_active boolean not null default true,
    created_at timestamptz not null default now()
);
create index if not exists idx_api_keys_key_hash on api_keys (key_hash);
create index if not exists idx_api_keys_user_id on api_keys (user_id);
create index if not exists idx_api_keys_user_active on api_keys (user_id, is_active);

create table if not exists usage_analytics (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references users (id) on delete cascade,
    date date not null default (now() at time zone 'utc')::date,
    tasks_executed integer not null default 0 check (tasks_executed >= 0),
    compute_units_used integer not null default 0 check (compute_units_used >= 0),
    api_calls integer not null default 0 check (api_calls >= 0),
    created_at timestamptz not null default now()
);
create unique index if not exists idx_usage_analytics_user_date on usage_analytics (user_id, date);

-- The inbox (R1, R2) -------------------------------------------------------------------------------------------

create table if not exists webhook_events (
    id uuid primary key default gen_random_uuid(),
    -- Order of arrival, also within a transaction.
    arrival bigint generated always as identity,
    -- The delivery: exact bytes (text and jsonb cannot hold \u0000), and proof that it is authentic.
    body bytea not null,
    body_sha256 bytea not null unique check (octet_length(body_sha256) = 32),
    signature varchar(64) not null,
    matched_secret varchar(8) not null check (matched_secret in ('current', 'previous')),
    deliveries integer not null default 1 check (deliveries > 0),
    received_at timestamptz not null default now(),
    last_received_at timestamptz not null default now(),
    -- The envelope.
    event_name text,
    webhook_id text,
    test_mode boolean,
    store_id text,
    data_type text,
    data_id text,
    kind varchar(12) not null
        check (kind in ('subscription', 'invoice', 'order', 'other', 'undecodable', 'rejected')),
    -- What the rules read of it, decoded once, so that computing an account parses no bodies.
    subscription_id varchar(100),
    customer_id varchar(100),
    claimed_user_id uuid,
    email varchar(255),
    status text,
    variant_id varchar(100),
    order_id varchar(100),
    order_item_id varchar(100),
    product_id varchar(100),
    pause_mode text,
    pause_resumes_at timestamptz,
    trial_ends_at timestamptz,
    renews_at timestamptz,
    ends_at timestamptz,
    source_created_at timestamptz,
    source_updated_at timestamptz,
    snapshot_second bigint,
    attributes_sha256 bytea,
    billing_reason text,
    refunded boolean,
    refunded_at timestamptz,
    currency text,
    total bigint,
    refunded_amount bigint,
    -- What became of it.
    outcome varchar(12) not null
        check (outcome in ('applied', 'unchanged', 'parked', 'ignored', 'quarantined', 'rejected', 'failed')),
    reason text,
    user_id uuid references users (id) on delete set null,
    attempts integer not null default 0 check (attempts >= 0),
    next_attempt_at timestamptz
);
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
    id uuid primary key default gen_random_uuid(),
    kind varchar(10) not null check (kind in ('bind', 'adjust')),
    user_id uuid not null references users (id) on delete cascade,
    subscription_id varchar(100),
    units integer,
    line varchar(100),
    begins_at timestamptz,
    reason text,
    created_at timestamptz not null default now(),
    check (kind <> 'bind' or subscription_id is not null),
    check (kind <> 'adjust' or (units is not null and line is not null and begins_at is not null))
);
create index if not exists idx_operator_actions_subscription on operator_actions (subscription_id);
create index if not exists idx_operator_actions_user on operator_actions (user_id);

-- Compute units ------------------------------------------------------------------------------------------------

-- R13: one row for each unlocked month of a line; a line is 'free' or the provider's subscription id.
create table if not exists compute_unit_buckets (
    user_id uuid not null references users (id) on delete cascade,
    line varchar(100) not null,
    begins_at timestamptz not null,
    ends_at timestamptz not null,
    unlocked_at timestamptz not null,
    granted integer not null check (granted >= 0),
    consumed integer not null,
    adjusted integer not null,
    carried integer not null check (carried <= 0),
    remaining integer generated always as (granted - consumed + adjusted + carried) stored,
    primary key (user_id, line, begins_at),
    check (begins_at < ends_at and unlocked_at >= begins_at)
);

-- R15: what was charged to a bucket, for good, under the key the bucket had at the time.
create table if not exists compute_unit_charges (
    line varchar(100) not null,
    user_id uuid not null references users (id) on delete cascade,
    begins_at timestamptz not null,
    consumed integer not null default 0,
    adjusted integer not null default 0,
    first_at timestamptz not null,
    primary key (line, user_id, begins_at)
);
create index if not exists idx_compute_unit_charges_user on compute_unit_charges (user_id);

-- R16: each change of the shown balance; the sum of an account's units is its balance.
create table if not exists compute_unit_ledger (
    id bigint generated always as identity primary key,
    user_id uuid not null references users (id) on delete cascade,
    kind varchar(12) not null
        check (kind in ('grant', 'plan_change', 'switch', 'consume', 'external', 'adjust', 'correction')),
    units integer not null,
    balance integer not null check (balance >= 0),
    line varchar(100) not null,
    begins_at timestamptz not null,
    event_id uuid references webhook_events (id) on delete set null,
    task_id uuid unique,
    shortfall integer not null default 0 check (shortfall >= 0),
    reason text,
    created_at timestamptz not null default now()
);
create index if not exists idx_compute_unit_ledger_user on compute_unit_ledger (user_id, id);
create index if not exists idx_compute_unit_ledger_event on compute_unit_ledger (event_id);

create or replace function refuse_ledger_update() returns trigger language plpgsql as $$
begin
    -- The one permitted change is the foreign key's own: an event that was deleted.
    if new.event_id is null and (to_jsonb(new) - 'event_id') = (to_jsonb(old) - 'event_id') then
        return new;
    end if;
    raise exception 'compute_unit_ledger is append-only' using errcode = 'restrict_violation';
end $$;
create or replace trigger keep_compute_unit_ledger before update on compute_unit_ledger
    for each row execute function refuse_ledger_update();

-- Entitlements: R9, R10 and R14 as SQL, for programs that read the database -------------------------------------

create or replace view account_entitlements as
with moment as (
    select now() as at
), account as (
    select u.id as user_id,
        greatest(date_trunc('second', m.at), max(s.latest_event_at)) as at
    from users u
    cross join moment m
    left join user_subscriptions s on s.user_id = u.id and s.source_updated_at is not null
    group by u.id, m.at
), candidate as (
    select a.user_id, a.at, s.*, p.monthly_compute_units, p.price_cents,
        exists (
            select from compute_unit_buckets b
            where b.user_id = a.user_id and b.line = s.lemon_squeezy_subscription_id
                and b.begins_at <= a.at and a.at < b.ends_at and b.unlocked_at <= a.at
        ) as present_month_unlocked
    from account a
    join lateral (
        select id, plan_id, lemon_squeezy_subscription_id, status, current_period_end, ends_at, trial_ends_at,
            source_created_at
        from user_subscriptions
        where user_id = a.user_id and source_updated_at is not null
            and case status
                when 'on_trial' then true
                when 'active' then true
                when 'past_due' then true
                when 'paused' then coalesce(pause_mode = 'free', false) or coalesce(pause_resumes_at <= a.at, false)
                when 'cancelled' then a.at < current_period_end
                else false
            end
    ) s on true
    join subscription_plans p on p.id = s.plan_id
), effective as (
    select distinct on (user_id) *
    from candidate
    order by user_id, present_month_unlocked desc, monthly_compute_units desc, price_cents desc,
        source_created_at desc,
        length(lemon_squeezy_subscription_id) desc, lemon_squeezy_subscription_id collate "C" desc
), bucket as (
    select a.user_id, b.*
    from account a
    left join effective e on e.user_id = a.user_id
    join lateral (
        select line, begins_at, ends_at, remaining
        from compute_unit_buckets
        where user_id = a.user_id and line in ('free', e.lemon_squeezy_subscription_id)
            and unlocked_at <= a.at
        order by line = 'free', begins_at desc
        limit 1
    ) b on true
)
select u.id as user_id,
    u.email,
    coalesce(e.plan_id, 'free') as plan_id,
    e.user_id is not null as has_access,
    e.lemon_squeezy_subscription_id,
    e.status,
    case e.status when 'cancelled' then e.current_period_end when 'on_trial' then e.trial_ends_at end as access_until,
    greatest(coalesce(b.remaining, u.compute_units_remaining), 0) as compute_units_remaining,
    coalesce(b.ends_at, u.compute_units_reset_date) as compute_units_reset_date
from users u
left join effective e on e.user_id = u.id
left join bucket b on b.user_id = u.id;

-- Migrations ---------------------------------------------------------------------------------------------------

create table if not exists schema_migrations (
    version integer primary key,
    name varchar(100) not null,
    -- SHA-256 of the file, hex; null until the program has seen a schema that psql made.
    checksum varchar(64),
    applied_at timestamptz not null default now()
);
insert into schema_migrations (version, name) values (1, 'init') on conflict (version) do nothing;
