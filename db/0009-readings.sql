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

insert into schema_migrations (version, name) values (9, 'readings');
