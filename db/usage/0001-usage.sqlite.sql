-- The twin of 0001-usage.sql.

create table usage_analytics (
    id text not null primary key default (
        lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2)
        || '-' || substr('89ab', (random() & 3) + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-'
        || lower(hex(randomblob(6)))
    ) check (length(id) = 36 and id = lower(id)),
    user_id text not null check (length(user_id) = 36 and user_id = lower(user_id)),
    date text not null default (date('now')) check (date is date(date)),
    tasks_executed integer not null default 0 check (tasks_executed >= 0),
    compute_units_used integer not null default 0 check (compute_units_used >= 0),
    api_calls integer not null default 0 check (api_calls >= 0),
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;
create unique index idx_usage_analytics_user_date on usage_analytics (user_id, date);

-- What has been written already, should it come again.
create table usage_batches (
    id text not null primary key check (length(id) = 36 and id = lower(id)),
    applied_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;

create table schema_migrations (
    version integer primary key,
    name text not null check (length(name) <= 100),
    -- SHA-256 of the file, hex.
    checksum text check (length(checksum) <= 64),
    applied_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;
