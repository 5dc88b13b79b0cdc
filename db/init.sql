-- The schema of Selextract Cloud on PostgreSQL, complete, for any client: run on an empty database it gives
-- exactly what `selextract-billing migrate` gives. On an older schema it adds what is missing, and run again
-- it changes nothing. One statement: all of it is done, or none.
--
-- Written by a test from the migrations beside it, which are what is edited.

do $init$
begin
    -- The lock that `migrate` takes.
    perform pg_advisory_xact_lock(1579075500);
    if to_regclass('schema_migrations') is null and to_regclass('users') is not null then
        raise exception 'a table users of another program is there: `migrate --adopt` takes it over';
    end if;

    if to_regclass('schema_migrations') is null then
        execute $migration_1$
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
$migration_1$;
    end if;

    if not exists (select from schema_migrations where version = 2) then
        execute $migration_2$
-- What an account is entitled to, looked up account by account, so that asking about one costs no more than that one.
-- And what other programs may do without losing anything: delete an account and create it again, hold as many units as
-- the column holds.

drop view account_entitlements;

-- Lists that go on by key, and a rebuild's way through the inbox.
create index idx_api_keys_created_at on api_keys (created_at, id);
create unique index webhook_events_arrival_key on webhook_events (arrival);

-- An account that was deleted and created again finds what its events had bought (R3): whatever has become of them.
drop index idx_webhook_events_claimed;
create index idx_webhook_events_claimed on webhook_events (claimed_user_id);
create function park_events() returns trigger language plpgsql as $$
begin
    update webhook_events set outcome = 'parked', reason = 'unknown_account'
    where user_id = old.id and outcome in ('applied', 'unchanged');
    return old;
end $$;
create trigger park_events_of_users before delete on users for each row execute function park_events();

-- Sums of numbers that fit into an integer each.
alter table compute_unit_charges alter column consumed type bigint, alter column adjusted type bigint;
alter table compute_unit_buckets
    drop column remaining,
    alter column granted type bigint,
    alter column consumed type bigint,
    alter column adjusted type bigint,
    alter column carried type bigint,
    add column remaining bigint generated always as (granted - consumed + adjusted + carried) stored;

-- R9, R10 and R14 as SQL, for programs that read the database. What another program has written into
-- compute_units_remaining counts at once, not only when the ledger takes it over (R15).
create view account_entitlements as
select u.id as user_id,
    u.email,
    coalesce(e.plan_id, 'free') as plan_id,
    e.plan_id is not null as has_access,
    e.lemon_squeezy_subscription_id,
    e.status,
    case e.status when 'cancelled' then e.current_period_end when 'on_trial' then e.trial_ends_at end as access_until,
    coalesce(b.shown, u.compute_units_remaining) as compute_units_remaining,
    coalesce(b.ends_at, u.compute_units_reset_date) as compute_units_reset_date,
    coalesce(b.granted, f.monthly_compute_units)::integer as compute_units_granted
from (select now() as at) as moment
cross join users u
cross join lateral (
    select greatest(date_trunc('second', moment.at), max(s.latest_event_at)) as at
    from user_subscriptions s
    where s.user_id = u.id and s.source_updated_at is not null
) as m
left join lateral (
    select s.*
    from user_subscriptions s
    join subscription_plans p on p.id = s.plan_id
    -- Its present month, if that is unlocked.
    left join compute_unit_buckets b on b.user_id = s.user_id and b.line = s.lemon_squeezy_subscription_id
        and b.begins_at <= m.at and m.at < b.ends_at and b.unlocked_at <= m.at
    where s.user_id = u.id and s.source_updated_at is not null
        and case s.status
            when 'on_trial' then true
            when 'active' then true
            when 'past_due' then true
            when 'paused' then coalesce(s.pause_mode = 'free', false) or coalesce(s.pause_resumes_at <= m.at, false)
            when 'cancelled' then m.at < s.current_period_end
            else false
        end
    order by b.line is not null desc, p.monthly_compute_units desc, p.price_cents desc, s.source_created_at desc,
        length(s.lemon_squeezy_subscription_id) desc, s.lemon_squeezy_subscription_id collate "C" desc
    limit 1
) as e on true
left join lateral (
    select b.ends_at, b.granted,
        least(greatest(b.remaining + coalesce(u.compute_units_remaining - l.balance, 0), 0), 2147483647)::integer
            as shown
    from compute_unit_buckets b
    left join lateral (
        select line, begins_at, balance from compute_unit_ledger where user_id = u.id order by id desc limit 1
    ) as l on l.line = b.line and l.begins_at = b.begins_at
    where b.user_id = u.id and b.line in ('free', e.lemon_squeezy_subscription_id) and b.unlocked_at <= m.at
    order by b.line = 'free', b.begins_at desc
    limit 1
) as b on true
left join subscription_plans f on f.id = 'free';

insert into schema_migrations (version, name) values (2, 'entitlements');
$migration_2$;
    end if;

    if not exists (select from schema_migrations where version = 3) then
        execute $migration_3$
-- What the rules read that they did not: billing days that move, orders, granted plans, e-mails that were matched; and
-- what an account was computed with, so that whatever changes the answer makes it due (R17).

-- Events ----------------------------------------------------------------------------------------------------------

alter table webhook_events
    add column billing_anchor smallint,
    -- Which reading of the bytes the columns hold; the clock reads older ones again.
    add column decoder smallint not null default 1,
    -- R20: what is personal was removed then; the hash and the facts stay.
    add column erased_at timestamptz,
    -- The deleted account that it counted for.
    add column deleted_user_id uuid;
create index idx_webhook_events_decoder on webhook_events (decoder, arrival) where decoder < 2;
create index idx_webhook_events_order on webhook_events (order_id) where order_id is not null;
create index idx_webhook_events_quarantined on webhook_events (test_mode, store_id) where outcome = 'quarantined';
create index idx_webhook_events_deleted_user on webhook_events (deleted_user_id) where deleted_user_id is not null;

create or replace function park_events() returns trigger language plpgsql as $$
begin
    update webhook_events set deleted_user_id = old.id,
        reason = case when outcome in ('applied', 'unchanged') then 'unknown_account' else reason end,
        outcome = case when outcome in ('applied', 'unchanged') then 'parked' else outcome end
    where user_id = old.id;
    return old;
end $$;

-- Accounts --------------------------------------------------------------------------------------------------------

alter table users
    -- Of `billing_settings`, with which the row was computed; less than the newest: it is due.
    add column billing_revision integer not null default 0,
    -- The moment from which on the row says what is so, until billing_due_at; later than now: a clock ran ahead.
    add column billing_valid_from timestamptz;
create index idx_users_billing_revision on users (billing_revision, id);
create index idx_users_billing_valid_from on users (billing_valid_from);

-- The settings that decide, each change a row: all instances and commands go by the newest.
create table billing_settings (
    revision integer primary key,
    mode varchar(4) not null check (mode in ('live', 'test', 'any')),
    store_id varchar(100),
    match_by_email boolean not null,
    upgrade_units varchar(20) not null,
    downgrade_units varchar(20) not null,
    refund_units varchar(20) not null,
    -- Counts up when a version of the program reads the same events otherwise.
    rules integer not null,
    changed_at timestamptz not null default now(),
    -- The host that wrote it.
    changed_by varchar(255) not null
);

-- When units were used, where a refund takes the rest (R18).
create index idx_compute_unit_ledger_line on compute_unit_ledger (line)
    where kind in ('consume', 'external') and line <> 'free';

-- Subscriptions ---------------------------------------------------------------------------------------------------

-- Who speaks for the row; null: another program made it, and it gives nothing.
alter table user_subscriptions
    add column source varchar(10) check (source in ('provider', 'granted'));
update user_subscriptions set source = 'provider' where source_updated_at is not null;

-- What operators did, and matches that were made by e-mail (R5): they are remembered like an operator's word.
alter table operator_actions
    drop constraint operator_actions_kind_check,
    add constraint operator_actions_kind_check
        check (kind in ('bind', 'adjust', 'match', 'grant', 'grant_end')),
    add column plan_id varchar(50) references subscription_plans (id),
    add column until timestamptz,
    -- Who did it, and from which host or page.
    add column acted_by varchar(255),
    add column acted_from varchar(255),
    add constraint operator_actions_match_check check (kind <> 'match' or subscription_id is not null),
    add constraint operator_actions_grant_check check (kind <> 'grant' or plan_id is not null);

-- Matches that stand: of the e-mail alone, without any claim of the subscription or of its customer's others.
insert into operator_actions (kind, user_id, subscription_id, reason)
select distinct 'match', u.id, s.lemon_squeezy_subscription_id, lower(u.email)
from user_subscriptions s
join users u on u.id = s.user_id
join webhook_events e on e.subscription_id = s.lemon_squeezy_subscription_id and lower(e.email) = lower(u.email)
where s.source = 'provider'
    and not exists (
        select from webhook_events o
        left join users claimed on claimed.id = o.claimed_user_id
        left join operator_actions b on b.kind = 'bind' and b.subscription_id = o.subscription_id
        where (claimed.id is not null or b.id is not null)
            and (
                o.subscription_id = s.lemon_squeezy_subscription_id
                or o.subscription_id in (
                    select subscription_id from webhook_events where customer_id = s.lemon_squeezy_customer_id
                )
            )
    );

drop view account_entitlements;
-- R9, R10 and R14 as SQL, for programs that read the database: of one account at a moment, and of all now. What another
-- program has written into compute_units_remaining counts at once, not only when the ledger takes it over (R15).
create function account_entitlement(account uuid, looked_at timestamptz) returns table (
    user_id uuid, email varchar, plan_id varchar, has_access boolean, lemon_squeezy_subscription_id varchar,
    status varchar, access_until timestamptz, compute_units_remaining integer, compute_units_reset_date timestamptz,
    compute_units_granted integer
) language sql stable as $$
select u.id,
    u.email,
    coalesce(e.plan_id, 'free'),
    e.plan_id is not null,
    e.lemon_squeezy_subscription_id,
    e.status,
    case
        when e.source = 'granted' then e.ends_at
        when e.status = 'cancelled' then e.current_period_end
        when e.status = 'on_trial' then e.trial_ends_at
    end,
    coalesce(b.shown, u.compute_units_remaining),
    coalesce(b.ends_at, u.compute_units_reset_date),
    coalesce(b.granted, f.monthly_compute_units)::integer
from users u
cross join lateral (
    select greatest(date_trunc('second', looked_at), max(s.latest_event_at)) as at
    from user_subscriptions s
    where s.user_id = u.id and s.source_updated_at is not null
) as m
left join lateral (
    select s.*, l.line
    from user_subscriptions s
    -- Of its buckets: a granted plan has no id of the provider's (R19).
    cross join lateral (select coalesce(s.lemon_squeezy_subscription_id, 'grant:' || s.id) as line) as l
    join subscription_plans p on p.id = s.plan_id
    -- Its present month, if that is unlocked.
    left join compute_unit_buckets b on b.user_id = s.user_id and b.line = l.line
        and b.begins_at <= m.at and m.at < b.ends_at and b.unlocked_at <= m.at
    where s.user_id = u.id and s.source_updated_at is not null
        and case
            when s.source = 'granted' then coalesce(m.at < s.ends_at, true)
            when s.status in ('on_trial', 'active', 'past_due') then true
            when s.status = 'paused'
                then coalesce(s.pause_mode = 'free', false) or coalesce(s.pause_resumes_at <= m.at, false)
            when s.status = 'cancelled' then m.at < s.current_period_end
            else false
        end
    order by b.line is not null desc, p.monthly_compute_units desc, p.price_cents desc, s.source_created_at desc,
        length(l.line) desc, l.line collate "C" desc
    limit 1
) as e on true
left join lateral (
    select b.ends_at, b.granted,
        least(greatest(b.remaining + coalesce(u.compute_units_remaining - l.balance, 0), 0), 2147483647)::integer
            as shown
    from compute_unit_buckets b
    left join lateral (
        select line, begins_at, balance from compute_unit_ledger where user_id = u.id order by id desc limit 1
    ) as l on l.line = b.line and l.begins_at = b.begins_at
    where b.user_id = u.id and b.line in ('free', e.line) and b.unlocked_at <= m.at
    order by b.line = 'free', b.begins_at desc
    limit 1
) as b on true
left join subscription_plans f on f.id = 'free'
where u.id = account
$$;
create view account_entitlements as
select e.* from users u cross join lateral account_entitlement(u.id, now()) as e;

insert into schema_migrations (version, name) values (3, 'rules');
$migration_3$;
    end if;

    if not exists (select from schema_migrations where version = 4) then
        execute $migration_4$
-- Fewer and narrower indexes, events that did not come by webhook, and what spares a delivery work that was done for the
-- one before it: the catalogue's version, and checkpoints of subscriptions.

-- Events ----------------------------------------------------------------------------------------------------------

-- lz4 takes a fraction of pglz's time for new bodies. A server without it, or before version 14, keeps pglz.
do $$
begin
    execute 'alter table webhook_events alter column body set compression lz4';
exception when feature_not_supported or invalid_parameter_value or syntax_error then
    null;
end $$;

alter table webhook_events
    -- How it came: delivered, fetched from the provider's API, or made from a row of another program. Only what is
    -- delivered is signed.
    add column source varchar(10) not null default 'webhook' check (source in ('webhook', 'api', 'adopted')),
    alter column signature drop not null,
    alter column matched_secret drop not null,
    add constraint webhook_events_signed_check
        check (source <> 'webhook' or (signature is not null and matched_secret is not null));

-- Each holds what is asked of the events that it finds, too.
drop index idx_webhook_events_subscription;
create index idx_webhook_events_subscription on webhook_events (subscription_id, source_updated_at);
drop index idx_webhook_events_customer;
create index idx_webhook_events_customer on webhook_events (customer_id, subscription_id);
drop index idx_webhook_events_user;
create index idx_webhook_events_user on webhook_events (user_id, subscription_id);
drop index idx_webhook_events_claimed;
create index idx_webhook_events_claimed on webhook_events (claimed_user_id, subscription_id);
drop index idx_webhook_events_order;
create index idx_webhook_events_order on webhook_events (order_id, kind) where order_id is not null;

-- Lists go by the order of arrival. A range of dates, which follow that order, needs no more than a few pages of index.
drop index idx_webhook_events_received;
drop index idx_webhook_events_outcome;
create index idx_webhook_events_outcome on webhook_events (outcome, arrival)
    where outcome not in ('applied', 'unchanged');
create index webhook_events_received_at_brin on webhook_events using brin (received_at);

-- Most entries are of tasks, and have no event.
drop index idx_compute_unit_ledger_event;
create index idx_compute_unit_ledger_event on compute_unit_ledger (event_id) where event_id is not null;

-- Accounts --------------------------------------------------------------------------------------------------------

-- Each of the two columns had two indexes, of which the constraint's was the unique one.
drop index idx_users_email;
create unique index idx_users_email on users (email);
alter table users drop constraint users_email_key;
drop index idx_users_google_id;
create unique index idx_users_google_id on users (google_id);
alter table users drop constraint users_google_id_key;

-- The catalogue's version -----------------------------------------------------------------------------------------

-- One row. Whoever knows the catalogue of this version need not read it again. It is the time of the change where that
-- is later, so that a database which was restored from a backup does not give a version a second time.
create table catalog_version (
    "only" boolean primary key default true check ("only"),
    version bigint not null default 1
);
insert into catalog_version (version) values ((extract(epoch from now()) * 1000)::bigint);

create function renew_catalog_version() returns trigger language plpgsql as $$
begin
    update catalog_version
    set version = greatest(version + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint);
    return null;
end $$;
create trigger renew_version_of_plans after insert or update or delete or truncate on subscription_plans
    for each statement execute function renew_catalog_version();
create trigger renew_version_of_variants after insert or update or delete or truncate on plan_variants
    for each statement execute function renew_catalog_version();
create trigger renew_version_of_terms after insert or update or delete or truncate on plan_terms
    for each statement execute function renew_catalog_version();

-- Checkpoints -----------------------------------------------------------------------------------------------------

-- A cache of a pure function of the subscription's events up to read_after: what the fold needs of them. A rebuild
-- computes it from nothing.
create table subscription_checkpoints (
    subscription_id varchar(100) primary key,
    user_id uuid not null references users (id) on delete cascade,
    closed_before timestamptz not null,
    read_after timestamptz not null,
    kept jsonb not null,
    carried bigint not null check (carried <= 0),
    trial_counts boolean not null,
    revision integer not null,
    catalog_version bigint not null,
    events integer not null check (events > 0),
    made_at timestamptz not null default now()
);
create index idx_subscription_checkpoints_user on subscription_checkpoints (user_id);

insert into schema_migrations (version, name) values (4, 'lean');
$migration_4$;
    end if;

    if not exists (select from schema_migrations where version = 5) then
        execute $migration_5$
-- What other programs take and give of compute units: by functions that leave what the service's own charges leave, or
-- by a plain update, which makes the account due.

-- Units that another program writes --------------------------------------------------------------------------------

alter table users
    -- `compute_units_remaining` as the service wrote it last, in the same statement. Where the two differ, another
    -- program has written since. Null: the service has not written the row since this column is there.
    add column billing_balance integer;

create or replace function make_account_due() returns trigger language plpgsql as $$
begin
    new.billing_due_at = least(new.billing_due_at, now());
    return new;
end $$;
create trigger make_users_due before update of compute_units_remaining on users
    for each row when (new.compute_units_remaining is distinct from new.billing_balance)
    execute function make_account_due();

-- What was written before there was a trigger.
update users set billing_due_at = least(billing_due_at, now())
from (
    select distinct on (user_id) user_id, balance from compute_unit_ledger order by user_id, id desc
) as l
where l.user_id = users.id and l.balance <> users.compute_units_remaining;

-- Tasks by what they are to do -------------------------------------------------------------------------------------

create index tasks_config_gin on tasks using gin (config jsonb_path_ops);

-- Compute units for other programs ---------------------------------------------------------------------------------

-- The free plan's month at a moment (R11): months run from the account's begin, on its day or a short month's last.
create or replace function free_month(
    account_created timestamptz, looked_at timestamptz, out begins_at timestamptz, out ends_at timestamptz
) language sql stable as $$
select (start + make_interval(months => number)) at time zone 'utc',
    (start + make_interval(months => number + 1)) at time zone 'utc'
from (
    select date_trunc('second', account_created) at time zone 'utc' as start,
        greatest(looked_at, account_created) at time zone 'utc' as until
) as span
cross join lateral generate_series(
    greatest(
        ((extract(year from until) - extract(year from start)) * 12
            + extract(month from until) - extract(month from start))::integer - 1,
        0
    ),
    ((extract(year from until) - extract(year from start)) * 12
        + extract(month from until) - extract(month from start))::integer
) as number
where start + make_interval(months => number) <= until
order by number desc
limit 1
$$;

-- The units of a free month (R13): editing a plan changes later months only.
create or replace function free_units(month timestamptz) returns integer language sql stable as $$
select coalesce(
    (
        select monthly_compute_units from plan_terms
        where plan_id = 'free' and valid_from <= month order by valid_from desc limit 1
    ),
    (select monthly_compute_units from plan_terms where plan_id = 'free' order by valid_from limit 1),
    (select monthly_compute_units from subscription_plans where id = 'free'),
    0
)
$$;

-- Adds to what was charged to a month (R15), and to its bucket; what a bucket is below zero is owed by the next one of
-- its line (R13). The account's row is locked.
create or replace function charge_compute_units(
    account uuid, charged_line varchar, month timestamptz, taken bigint, given bigint, looked_at timestamptz
) returns void language plpgsql as $$
#variable_conflict use_column
declare
    bucket record;
    owed bigint;
begin
    insert into compute_unit_charges as c (line, user_id, begins_at, consumed, adjusted, first_at)
    values (charged_line, account, month, taken, given, date_trunc('second', looked_at))
    on conflict (line, user_id, begins_at) do update set
        consumed = c.consumed + excluded.consumed,
        adjusted = c.adjusted + excluded.adjusted,
        first_at = least(c.first_at, excluded.first_at);
    update compute_unit_buckets set consumed = consumed + taken, adjusted = adjusted + given
    where user_id = account and line = charged_line and begins_at <= month and month < ends_at;
    for bucket in
        select begins_at, carried, remaining from compute_unit_buckets
        where user_id = account and line = charged_line and ends_at > month order by begins_at
    loop
        if owed <> bucket.carried then
            update compute_unit_buckets set carried = owed
            where user_id = account and line = charged_line and begins_at = bucket.begins_at;
            bucket.remaining = bucket.remaining - bucket.carried + owed;
        end if;
        owed = least(bucket.remaining, 0);
    end loop;
    -- It stands for months that were over, and one of them was not.
    delete from subscription_checkpoints where subscription_id = charged_line and closed_before > month;
end $$;

-- Locks an account, brings its ledger up to `users.compute_units_remaining` (R15) and to the month that is current
-- (R14), and tells that month and the balance. If the clock has not looked at the account since something changed, the
-- month is the one that `account_entitlement` shows; the account is due then, and the clock computes the rest.
create or replace function settle_compute_units(
    account uuid, out line varchar, out begins_at timestamptz, out ends_at timestamptz, out balance integer,
    out looked_at timestamptz
) language plpgsql as $$
#variable_conflict use_column
declare
    owner record;
    last record;
    month record;
    shown record;
    is_settled boolean;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'compute units are charged at the isolation level read committed, not %',
            current_setting('transaction_isolation')
            using errcode = 'feature_not_supported',
                hint = 'What was committed before the account is locked has to be seen afterwards.';
    end if;
    select * into owner from users where id = account for no key update;
    if not found then
        raise exception 'there is no account %', account using errcode = 'foreign_key_violation';
    end if;
    looked_at = clock_timestamp();
    select l.line, l.begins_at, l.balance into last
    from compute_unit_ledger l where l.user_id = account order by l.id desc limit 1;
    is_settled = found and last.balance = owner.compute_units_remaining
        and coalesce(owner.billing_due_at > looked_at and owner.billing_valid_from <= looked_at, false)
        and owner.billing_revision >= coalesce((select max(revision) from billing_settings), 0);

    if last.line is null then
        -- The opening balance: the free month that the row's reset date ends.
        month = free_month(
            owner.created_at, least(owner.compute_units_reset_date - interval '1 second', looked_at));
        insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, created_at)
        values (
            account, 'grant', free_units(month.begins_at), free_units(month.begins_at), 'free', month.begins_at,
            looked_at
        )
        returning line, begins_at, balance into last;
    end if;
    if last.balance <> owner.compute_units_remaining then
        perform charge_compute_units(
            account, last.line, last.begins_at, 0, owner.compute_units_remaining - last.balance, looked_at);
        insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, created_at)
        values (
            account, 'external', owner.compute_units_remaining - last.balance, owner.compute_units_remaining,
            last.line, last.begins_at, looked_at
        )
        returning line, begins_at, balance into last;
    end if;

    if is_settled then
        select b.* into shown from compute_unit_buckets b
        where b.user_id = account and b.line = last.line and b.begins_at = last.begins_at;
    else
        select b.* into shown
        from account_entitlement(account, looked_at) e
        join compute_unit_buckets b on b.user_id = account and b.unlocked_at <= looked_at
            and b.ends_at = e.compute_units_reset_date and b.granted = e.compute_units_granted
        left join user_subscriptions s on s.user_id = account and s.source = 'granted' and b.line = 'grant:' || s.id
        where b.line in ('free', e.lemon_squeezy_subscription_id)
            or e.has_access and e.lemon_squeezy_subscription_id is null and s.plan_id = e.plan_id
        order by b.line = 'free', s.source_created_at desc nulls last, b.line desc
        limit 1;
        if shown.line is null or shown.line = 'free' and shown.ends_at <= looked_at then
            -- The clock has not made this month yet.
            month = free_month(owner.created_at, looked_at);
            insert into compute_unit_buckets as b (
                user_id, line, begins_at, ends_at, unlocked_at, granted, consumed, adjusted, carried
            )
            select account, 'free', month.begins_at, month.ends_at, month.begins_at, free_units(month.begins_at),
                coalesce(sum(c.consumed), 0), coalesce(sum(c.adjusted), 0),
                least(
                    coalesce(
                        (
                            select p.remaining from compute_unit_buckets p
                            where p.user_id = account and p.line = 'free' and p.ends_at = month.begins_at
                        ),
                        0
                    ),
                    0
                )
            from compute_unit_charges c
            where c.user_id = account and c.line = 'free'
                and c.begins_at >= month.begins_at and c.begins_at < month.ends_at
            on conflict (user_id, line, begins_at) do update set granted = b.granted
            returning * into shown;
        end if;
    end if;
    if shown.line is null then
        raise exception 'the month of account % is missing', account
            using hint = 'Run `selextract-billing rebuild --check`.';
    end if;

    line = shown.line;
    begins_at = shown.begins_at;
    ends_at = shown.ends_at;
    balance = least(greatest(shown.remaining, 0), 2147483647);
    if (last.line, last.begins_at, last.balance) is distinct from (line, begins_at, balance) then
        insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, created_at)
        values (
            account,
            case
                when last.line <> line then 'switch'
                when last.begins_at <> begins_at then 'grant'
                else 'correction'
            end,
            balance - last.balance, balance, line, begins_at, looked_at
        );
    end if;
end $$;

-- Writes the balance that a month has now into the account's row, and tells it.
create or replace function show_compute_units(
    account uuid, charged_line varchar, month timestamptz, looked_at timestamptz
) returns integer language sql as $$
update users set compute_units_remaining = b.balance, billing_balance = b.balance,
    compute_units_reset_date = b.ends_at, billing_valid_from = date_trunc('second', looked_at)
from (
    select ends_at, least(greatest(remaining, 0), 2147483647)::integer as balance from compute_unit_buckets
    where user_id = account and line = charged_line and begins_at = month
) as b
where users.id = account
returning b.balance
$$;

-- Charges a task to the month that is current (R15), and counts it in the day's usage: for other programs, in the
-- transaction in which they need it. The second time for the same task it changes nothing.
--
-- Returns what is left. Raises, and changes nothing: check_violation (23514) if fewer units are left,
-- foreign_key_violation (23503) if there is no such account, invalid_parameter_value (22023), unique_violation (23505)
-- if the task was charged to another account. It holds the account's row until the transaction ends: who charges
-- several accounts in one takes them in the order of their ids.
create or replace function consume_compute_units(user_id uuid, units integer, task_id uuid) returns integer
language plpgsql as $$
#variable_conflict use_column
declare
    account constant uuid = consume_compute_units.user_id;
    taken constant integer = consume_compute_units.units;
    task constant uuid = consume_compute_units.task_id;
    charged record;
    month record;
    left_over integer;
begin
    if account is null or task is null or coalesce(taken, -1) < 0 then
        raise exception 'an account, a task and a number of units, 0 or more, are needed'
            using errcode = 'invalid_parameter_value';
    end if;
    select u.compute_units_remaining into left_over from users u where u.id = account for no key update;
    select l.user_id into charged from compute_unit_ledger l where l.task_id = task;
    if found then
        if charged.user_id <> account then
            raise exception 'task % was charged to another account', task using errcode = 'unique_violation';
        end if;
        return left_over;
    end if;
    month = settle_compute_units(account);
    if taken > month.balance then
        raise exception '% compute units are more than the % that remain', taken, month.balance
            using errcode = 'check_violation', table = 'users', column = 'compute_units_remaining';
    end if;
    perform charge_compute_units(account, month.line, month.begins_at, taken, 0, month.looked_at);
    insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, task_id, created_at)
    values (
        account, 'consume', -taken, month.balance - taken, month.line, month.begins_at, task, month.looked_at
    );
    insert into usage_analytics as a (user_id, date, tasks_executed, compute_units_used)
    values (account, (month.looked_at at time zone 'utc')::date, 1, taken)
    on conflict (user_id, date) do update set
        tasks_executed = a.tasks_executed + excluded.tasks_executed,
        compute_units_used = a.compute_units_used + excluded.compute_units_used;
    left_over = show_compute_units(account, month.line, month.begins_at, month.looked_at);
    -- More units than the column holds were left.
    if left_over <> month.balance - taken then
        insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, created_at)
        values (
            account, 'correction', left_over - month.balance + taken, left_over, month.line, month.begins_at,
            month.looked_at
        );
    end if;
    return left_over;
end $$;

-- Gives units in the month that is current, as `users adjust` does: for other programs.
--
-- Returns what is left. Raises, and changes nothing: foreign_key_violation (23503) if there is no such account,
-- invalid_parameter_value (22023).
create or replace function add_compute_units(user_id uuid, units integer, reason text) returns integer
language plpgsql as $$
#variable_conflict use_column
declare
    account constant uuid = add_compute_units.user_id;
    given constant integer = add_compute_units.units;
    month record;
    left_over integer;
begin
    if account is null or coalesce(given, 0) < 1 then
        raise exception 'an account and a number of units, 1 or more, are needed'
            using errcode = 'invalid_parameter_value';
    end if;
    month = settle_compute_units(account);
    perform charge_compute_units(account, month.line, month.begins_at, 0, given, month.looked_at);
    left_over = show_compute_units(account, month.line, month.begins_at, month.looked_at);
    insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, reason, created_at)
    values (
        account, 'adjust', left_over - month.balance, left_over, month.line, month.begins_at, add_compute_units.reason,
        month.looked_at
    );
    insert into operator_actions (kind, user_id, units, line, begins_at, reason, acted_by, acted_from, created_at)
    values (
        'adjust', account, given, month.line, month.begins_at, add_compute_units.reason, session_user,
        nullif(current_setting('application_name'), ''), month.looked_at
    );
    return left_over;
end $$;

insert into schema_migrations (version, name) values (5, 'functions');
$migration_5$;
    end if;

    if not exists (select from schema_migrations where version = 6) then
        execute $migration_6$
-- What another program had: its rows in `user_subscriptions` are taken over as stored events (R21), and what it writes
-- into rows of ours is seen, put right and remembered.

-- What such an event says that no delivery does: the plan by its own name, the units that the account had left, and
-- when the row was read.
alter table webhook_events
    add column adopted_plan_id varchar(50),
    add column adopted_units integer,
    add column adopted_at timestamptz;

alter table user_subscriptions
    -- Counts up whenever this program writes the row: whoever changes it otherwise is another.
    add column written integer not null default 0;

-- Those that wait to be taken over.
create index idx_user_subscriptions_foreign on user_subscriptions (user_id, id)
    where source is null and lemon_squeezy_subscription_id is not null;

-- What another program wrote into a row that follows from events, or from a granted plan.
create table subscription_overwrites (
    id bigint generated always as identity primary key,
    user_id uuid not null references users (id) on delete cascade,
    -- The provider's; null: a granted plan's row.
    subscription_id varchar(100),
    status_before varchar(50) not null,
    status_written varchar(50) not null,
    plan_before varchar(50) not null,
    plan_written varchar(50) not null,
    written_at timestamptz not null default now(),
    -- When the row was computed again; null: not yet.
    put_right_at timestamptz
);
create index idx_subscription_overwrites_user on subscription_overwrites (user_id, id);
create index idx_subscription_overwrites_open on subscription_overwrites (id) where put_right_at is null;

-- It locks no account: whoever writes here would else wait for the clock, while the clock waits for the row.
create function record_overwrite() returns trigger language plpgsql as $$
begin
    insert into subscription_overwrites (
        user_id, subscription_id, status_before, status_written, plan_before, plan_written
    )
    values (
        old.user_id, old.lemon_squeezy_subscription_id, old.status, new.status, old.plan_id, new.plan_id
    );
    return null;
end $$;
create trigger record_user_subscriptions_overwrite after update on user_subscriptions
    for each row when (
        old.source is not null and new.written = old.written
        and (
            old.status, old.plan_id, old.user_id, old.current_period_start, old.current_period_end,
            old.cancel_at_period_end
        ) is distinct from (
            new.status, new.plan_id, new.user_id, new.current_period_start, new.current_period_end,
            new.cancel_at_period_end
        )
    )
    execute function record_overwrite();

insert into schema_migrations (version, name) values (6, 'adoption');
$migration_6$;
    end if;

    if not exists (select from schema_migrations where version = 7) then
        execute $migration_7$
-- Operators may discard events that wait (R3): an act about an event, which names no account.

alter table operator_actions
    alter column user_id drop not null,
    add column event_id uuid,
    drop constraint operator_actions_kind_check,
    add constraint operator_actions_kind_check
        check (kind in ('bind', 'adjust', 'match', 'grant', 'grant_end', 'discard')),
    add constraint operator_actions_user_check check (kind = 'discard' or user_id is not null),
    add constraint operator_actions_discard_check check (kind <> 'discard' or event_id is not null);

insert into schema_migrations (version, name) values (7, 'discard');
$migration_7$;
    end if;

    if not exists (select from schema_migrations where version = 8) then
        execute $migration_8$
-- Usage may be kept in a database of its own (USAGE_DATABASE_URL). Whoever counts, counts in usage_analytics here; from
-- there `serve` moves it, batch by batch.

create table usage_transfers (
    id bigint generated always as identity primary key,
    -- No reference: what is written here outlives the account.
    user_id uuid not null,
    -- Null: the account was deleted, and its usage with it.
    date date,
    tasks_executed integer not null default 0,
    compute_units_used integer not null default 0,
    api_calls integer not null default 0,
    created_at timestamptz not null default now(),
    -- What is written there in one transaction, and remembered there by this id. Null: waits for the next one.
    batch uuid
);
create index idx_usage_transfers_batch on usage_transfers (batch);

-- One row, once usage has been moved: accounts that are deleted have to be forgotten there, too.
create table usage_elsewhere (
    id integer primary key default 1 check (id = 1),
    since timestamptz not null default now()
);

create or replace function forget_usage() returns trigger language plpgsql as $$
begin
    insert into usage_transfers (user_id) select old.id where exists (select from usage_elsewhere);
    return null;
end $$;
create trigger forget_usage_of_users after delete on users for each row execute function forget_usage();

insert into schema_migrations (version, name) values (8, 'usage');
$migration_8$;
    end if;

    if not exists (select from schema_migrations where version = 9) then
        execute $migration_9$
-- What is watched beside the deliveries.

-- How far a comparison with Lemon Squeezy's lists has come: one that was interrupted goes on from there.

create table api_readings (
    -- The store, or * for all that the key sees, and the key's mode.
    scope varchar(200) primary key,
    began_at timestamptz not null,
    -- When the last page was taken in.
    read_at timestamptz not null,
    -- Invoices and orders created before are left out; null: none is.
    since timestamptz,
    -- JSON: for each list, how far.
    progress text not null
);

-- What other programs have added, the newest: whether they gave what an event had given, too.
create index idx_compute_unit_ledger_added on compute_unit_ledger (id) where kind = 'external' and units > 0;

insert into schema_migrations (version, name) values (9, 'watching');
$migration_9$;
    end if;

    if not exists (select from schema_migrations where version = 10) then
        execute $migration_10$
-- What operators do is recorded whatever it is, each act once; and runs of `reconcile` are, with what they found.

alter table operator_actions
    add column variant_id varchar(100),
    add column key_id uuid,
    -- Of the page that confirmed it. Two operators who see the same get the same, so that the act is done once.
    add column form uuid,
    drop constraint operator_actions_kind_check,
    add constraint operator_actions_kind_check check (
        kind in (
            'bind', 'adjust', 'match', 'grant', 'grant_end', 'discard', 'map', 'retry', 'revoke', 'fetch', 'reconcile'
        )
    ),
    drop constraint operator_actions_user_check,
    add constraint operator_actions_user_check
        check (kind in ('discard', 'map', 'retry', 'fetch', 'reconcile') or user_id is not null),
    add constraint operator_actions_map_check check (kind <> 'map' or (variant_id is not null and plan_id is not null)),
    add constraint operator_actions_retry_check check (kind <> 'retry' or event_id is not null),
    add constraint operator_actions_revoke_check check (kind <> 'revoke' or key_id is not null),
    add constraint operator_actions_fetch_check check (kind <> 'fetch' or subscription_id is not null);
create unique index operator_actions_form_key on operator_actions (form);
create index idx_operator_actions_created_at on operator_actions (created_at, id);
create index idx_operator_actions_event on operator_actions (event_id) where event_id is not null;

create table reconcile_runs (
    id uuid primary key default gen_random_uuid(),
    started_at timestamptz not null default now(),
    -- Null: it is under way, or was cut short.
    ended_at timestamptz,
    dry_run boolean not null,
    -- Invoices and orders were read down to this moment; null: all were.
    since timestamptz,
    -- Null: the service itself, after its start.
    acted_by varchar(255),
    acted_from varchar(255),
    calls integer not null default 0,
    seen integer not null default 0,
    stored integer not null default 0,
    -- What was found, as it is shown: outcomes, what waits, accounts that differ.
    findings jsonb,
    -- Why it ended early.
    failure text
);
create index idx_reconcile_runs_started_at on reconcile_runs (started_at, id);

insert into schema_migrations (version, name) values (10, 'console');
$migration_10$;
    end if;

    if not exists (select from schema_migrations where version = 11) then
        execute $migration_11$
-- Renewals that are overdue (R17) are found by an index: each subscription's row tells until when it gives units.

-- Null: the account has not been looked at since there is this column.
alter table user_subscriptions add column units_until timestamptz;
create index idx_user_subscriptions_units_until on user_subscriptions (units_until, lemon_squeezy_subscription_id)
    where source = 'provider' and status = 'active';

-- The clock looks at these, and fills it.
update users set billing_due_at = least(billing_due_at, now())
where exists (select from user_subscriptions s where s.user_id = users.id and s.source is not null);

insert into schema_migrations (version, name) values (11, 'overdue');
$migration_11$;
    end if;

    if not exists (select from schema_migrations where version = 12) then
        execute $migration_12$
-- Each delivery of an event is told, not only how many there were.

alter table webhook_events
    -- One line a delivery after the first: when it came, and the secret its signature matched or, if it came by no
    -- webhook, how. Kept of about twenty; null: it came once, or all others before there was this column.
    add column redeliveries text;

insert into schema_migrations (version, name) values (12, 'redeliveries');
$migration_12$;
    end if;

    if not exists (select from schema_migrations where version = 13) then
        execute $migration_13$
-- What an account leaves behind when it is deleted, and what a change of a plan means to those who have it.

create or replace function park_events() returns trigger language plpgsql as $$
begin
    update webhook_events set deleted_user_id = old.id,
        reason = case when outcome in ('applied', 'unchanged') then 'unknown_account' else reason end,
        outcome = case when outcome in ('applied', 'unchanged') then 'parked' else outcome end
    where user_id = old.id;
    -- R15: what was used of a subscription that has moved to another account stays used.
    insert into compute_unit_charges as t (line, user_id, begins_at, consumed, adjusted, first_at)
    select c.line, s.user_id, c.begins_at, c.consumed, c.adjusted, c.first_at
    from compute_unit_charges c join user_subscriptions s on s.lemon_squeezy_subscription_id = c.line
    where c.user_id = old.id and s.user_id <> old.id
    on conflict (line, user_id, begins_at) do update set
        consumed = t.consumed + excluded.consumed, adjusted = t.adjusted + excluded.adjusted,
        first_at = least(t.first_at, excluded.first_at);
    -- R5: to whom the same customer's other subscriptions belong may depend on it. Who is held is looked at already.
    update users set billing_due_at = least(billing_due_at, now())
    where id in (
        select u.id from users u
        where u.id <> old.id and u.id in (
            select o.user_id from webhook_events o
            where o.customer_id in (select customer_id from webhook_events where deleted_user_id = old.id)
        )
        for no key update skip locked
    );
    return old;
end $$;

-- R10: which of two subscriptions counts depends on what their plans give and cost.
create function make_subscribers_due() returns trigger language plpgsql as $$
begin
    -- In the order in which accounts are locked everywhere.
    perform from users
    where id in (select user_id from user_subscriptions where plan_id = new.id) order by id for no key update;
    update users set billing_due_at = least(billing_due_at, now())
    where id in (select user_id from user_subscriptions where plan_id = new.id);
    return null;
end $$;
create trigger make_subscribers_due after update of monthly_compute_units, price_cents on subscription_plans
    for each row when (
        (old.monthly_compute_units, old.price_cents) is distinct from (new.monthly_compute_units, new.price_cents)
    )
    execute function make_subscribers_due();

insert into schema_migrations (version, name) values (13, 'deletion');
$migration_13$;
    end if;

    if not exists (select from schema_migrations where version = 14) then
        execute $migration_14$
-- What a customer's own events say is personal, too (R20), and is found without reading all others.
create index idx_webhook_events_customer_object on webhook_events (data_id) where data_type = 'customers';

insert into schema_migrations (version, name) values (14, 'erasing');
$migration_14$;
    end if;
end $init$;
