-- The twin of 0009-watching.sql.

create table api_readings (
    -- The store, or * for all that the key sees, and the key's mode.
    scope text not null primary key check (length(scope) <= 200),
    began_at text not null,
    -- When the last page was taken in.
    read_at text not null,
    -- Invoices and orders created before are left out; null: none is.
    since text,
    -- JSON: for each list, how far.
    progress text not null
) strict;

-- What other programs have added, the newest: whether they gave what an event had given, too.
create index idx_compute_unit_ledger_added on compute_unit_ledger (id) where kind = 'external' and units > 0;

insert into schema_migrations (version, name) values (9, 'watching');
