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
