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
