-- The twin of 0004-lean.sql. Dates need no index here, since the order of arrival is the table's own, and the unique
-- constraints of `users` keep theirs: to drop one, SQLite needs the table made again, and with it would go the columns
-- that another program has added.

-- Events ----------------------------------------------------------------------------------------------------------

-- It speaks of the table that is made again.
drop trigger park_events_of_users;

-- As PostgreSQL's: `signature` and `matched_secret` may be null, and `source` is new.
create table webhook_events_of_all_sources (
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
    signature text check (length(signature) <= 64),
    matched_secret text check (matched_secret in ('current', 'previous')),
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
    next_attempt_at text,
    billing_anchor integer,
    -- Which reading of the bytes the columns hold; the clock reads older ones again.
    decoder integer not null default 1,
    -- R20: what is personal was removed then; the hash and the facts stay.
    erased_at text,
    -- The deleted account that it counted for.
    deleted_user_id text,
    -- How it came: delivered, fetched from the provider's API, or made from a row of another program. Only what is
    -- delivered is signed.
    source text not null default 'webhook' check (source in ('webhook', 'api', 'adopted')),
    check (source <> 'webhook' or (signature is not null and matched_secret is not null))
) strict;
insert into webhook_events_of_all_sources (
    id, arrival, body, body_sha256, signature, matched_secret, deliveries, received_at, last_received_at,
    event_name, webhook_id, test_mode, store_id, data_type, data_id, kind, subscription_id, customer_id,
    claimed_user_id, email, status, variant_id, order_id, order_item_id, product_id, pause_mode,
    pause_resumes_at, trial_ends_at, renews_at, ends_at, source_created_at, source_updated_at, snapshot_second,
    attributes_sha256, billing_reason, refunded, refunded_at, currency, total, refunded_amount, outcome, reason,
    user_id, attempts, next_attempt_at, billing_anchor, decoder, erased_at, deleted_user_id
)
select id, arrival, body, body_sha256, signature, matched_secret, deliveries, received_at, last_received_at,
    event_name, webhook_id, test_mode, store_id, data_type, data_id, kind, subscription_id, customer_id,
    claimed_user_id, email, status, variant_id, order_id, order_item_id, product_id, pause_mode, pause_resumes_at,
    trial_ends_at, renews_at, ends_at, source_created_at, source_updated_at, snapshot_second, attributes_sha256,
    billing_reason, refunded, refunded_at, currency, total, refunded_amount, outcome, reason, user_id, attempts,
    next_attempt_at, billing_anchor, decoder, erased_at, deleted_user_id
from webhook_events;
-- No number is given again, not even that of a row that was deleted.
delete from sqlite_sequence where name = 'webhook_events_of_all_sources';
insert into sqlite_sequence (name, seq)
select 'webhook_events_of_all_sources', seq from sqlite_sequence where name = 'webhook_events';
drop table webhook_events;
alter table webhook_events_of_all_sources rename to webhook_events;

create index idx_webhook_events_subscription on webhook_events (subscription_id, source_updated_at);
create index idx_webhook_events_customer on webhook_events (customer_id, subscription_id);
create index idx_webhook_events_user on webhook_events (user_id, subscription_id);
-- Lists of the rare outcomes; those of the frequent ones are found at once in the order of arrival.
create index idx_webhook_events_outcome on webhook_events (outcome, arrival)
    where outcome not in ('applied', 'unchanged');
create index idx_webhook_events_claimed on webhook_events (claimed_user_id, subscription_id);
create index idx_webhook_events_email on webhook_events (lower(email)) where outcome = 'parked';
create index idx_webhook_events_variant on webhook_events (variant_id) where outcome = 'parked';
create index idx_webhook_events_retry on webhook_events (next_attempt_at) where outcome = 'failed';
create index idx_webhook_events_decoder on webhook_events (decoder, arrival) where decoder < 2;
create index idx_webhook_events_order on webhook_events (order_id, kind) where order_id is not null;
create index idx_webhook_events_quarantined on webhook_events (test_mode, store_id) where outcome = 'quarantined';
create index idx_webhook_events_deleted_user on webhook_events (deleted_user_id) where deleted_user_id is not null;

create trigger park_events_of_users before delete on users
begin
    update webhook_events set deleted_user_id = old.id,
        reason = case when outcome in ('applied', 'unchanged') then 'unknown_account' else reason end,
        outcome = case when outcome in ('applied', 'unchanged') then 'parked' else outcome end
    where user_id = old.id;
end;

-- Most entries are of tasks, and have no event.
drop index idx_compute_unit_ledger_event;
create index idx_compute_unit_ledger_event on compute_unit_ledger (event_id) where event_id is not null;

-- Accounts --------------------------------------------------------------------------------------------------------

drop index idx_users_email;
create unique index idx_users_email on users (email);
drop index idx_users_google_id;
create unique index idx_users_google_id on users (google_id);

-- The catalogue's version -----------------------------------------------------------------------------------------

-- One row. Whoever knows the catalogue of this version need not read it again. It is the time of the change where that
-- is later, so that a file which was restored from a backup does not give a version a second time.
create table catalog_version (
    "only" integer not null primary key default 1 check ("only" = 1),
    version integer not null default 1
) strict;
insert into catalog_version ("only", version) values (1, cast((julianday('now') - 2440587.5) * 86400000 as integer));

create trigger renew_version_of_plans_after_insert after insert on subscription_plans
begin
    update catalog_version set version = max(version + 1, cast((julianday('now') - 2440587.5) * 86400000 as integer));
end;
create trigger renew_version_of_plans_after_update after update on subscription_plans
begin
    update catalog_version set version = max(version + 1, cast((julianday('now') - 2440587.5) * 86400000 as integer));
end;
create trigger renew_version_of_plans_after_delete after delete on subscription_plans
begin
    update catalog_version set version = max(version + 1, cast((julianday('now') - 2440587.5) * 86400000 as integer));
end;
create trigger renew_version_of_variants_after_insert after insert on plan_variants
begin
    update catalog_version set version = max(version + 1, cast((julianday('now') - 2440587.5) * 86400000 as integer));
end;
create trigger renew_version_of_variants_after_update after update on plan_variants
begin
    update catalog_version set version = max(version + 1, cast((julianday('now') - 2440587.5) * 86400000 as integer));
end;
create trigger renew_version_of_variants_after_delete after delete on plan_variants
begin
    update catalog_version set version = max(version + 1, cast((julianday('now') - 2440587.5) * 86400000 as integer));
end;
create trigger renew_version_of_terms_after_insert after insert on plan_terms
begin
    update catalog_version set version = max(version + 1, cast((julianday('now') - 2440587.5) * 86400000 as integer));
end;
create trigger renew_version_of_terms_after_update after update on plan_terms
begin
    update catalog_version set version = max(version + 1, cast((julianday('now') - 2440587.5) * 86400000 as integer));
end;
create trigger renew_version_of_terms_after_delete after delete on plan_terms
begin
    update catalog_version set version = max(version + 1, cast((julianday('now') - 2440587.5) * 86400000 as integer));
end;

-- Checkpoints -----------------------------------------------------------------------------------------------------

-- A cache of a pure function of the subscription's events up to read_after: what the fold needs of them. A rebuild
-- computes it from nothing.
create table subscription_checkpoints (
    subscription_id text not null primary key check (length(subscription_id) <= 100),
    user_id text not null references users (id) on delete cascade,
    closed_before text not null,
    read_after text not null,
    kept text not null check (json_valid(kept)),
    carried integer not null check (carried <= 0),
    trial_counts integer not null check (trial_counts in (0, 1)),
    revision integer not null,
    catalog_version integer not null,
    events integer not null check (events > 0),
    made_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;
create index idx_subscription_checkpoints_user on subscription_checkpoints (user_id);

insert into schema_migrations (version, name) values (4, 'lean');
