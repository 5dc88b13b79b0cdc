-- The database of USAGE_DATABASE_URL: the main database's usage_analytics without its foreign key.

create table usage_analytics (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null,
    date date not null default (now() at time zone 'utc')::date,
    tasks_executed integer not null default 0 check (tasks_executed >= 0),
    compute_units_used integer not null default 0 check (compute_units_used >= 0),
    api_calls integer not null default 0 check (api_calls >= 0),
    created_at timestamptz not null default now()
);
create unique index idx_usage_analytics_user_date on usage_analytics (user_id, date);

-- What has been written already, should it come again.
create table usage_batches (
    id uuid primary key,
    applied_at timestamptz not null default now()
);

create table schema_migrations (
    version integer primary key,
    name varchar(100) not null,
    -- SHA-256 of the file, hex.
    checksum varchar(64),
    applied_at timestamptz not null default now()
);
