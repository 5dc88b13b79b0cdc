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
