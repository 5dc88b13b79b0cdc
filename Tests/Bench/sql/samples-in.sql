-- The samples, and accounts by their numbers.
create table bench_samples (
    n serial primary key, body text, event_name text, data_type text, kind text, status text, variant_id text,
    attributes_sha256 bytea, signature text
);
-- As they are: else reading a sample would cost more than storing the event.
alter table bench_samples alter column body set storage plain;
\copy bench_samples (body, event_name, data_type, kind, status, variant_id, attributes_sha256, signature) from pstdin (format csv)
create function bench_user(n bigint) returns uuid language sql immutable as
    $$ select ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
vacuum analyze bench_samples;
