-- The twin of 0008-usage.sql.

create table usage_transfers (
    id integer primary key autoincrement,
    -- No reference: what is written here outlives the account.
    user_id text not null check (length(user_id) = 36 and user_id = lower(user_id)),
    -- Null: the account was deleted, and its usage with it.
    date text check (date is date(date)),
    tasks_executed integer not null default 0,
    compute_units_used integer not null default 0,
    api_calls integer not null default 0,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    -- What is written there in one transaction, and remembered there by this id. Null: waits for the next one.
    batch text check (length(batch) = 36 and batch = lower(batch))
) strict;
create index idx_usage_transfers_batch on usage_transfers (batch);

-- One row, once usage has been moved: accounts that are deleted have to be forgotten there, too.
create table usage_elsewhere (
    id integer not null primary key default 1 check (id = 1),
    since text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;

create trigger forget_usage_of_users after delete on users
begin
    insert into usage_transfers (user_id) select old.id where exists (select 1 from usage_elsewhere);
end;

insert into schema_migrations (version, name) values (8, 'usage');
