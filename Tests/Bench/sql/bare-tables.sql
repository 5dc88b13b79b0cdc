-- Five tables without any index, key or check but the primary key.
create table bench_samples (n serial primary key, body text);
alter table bench_samples alter column body set storage plain;
create table bare_events (id uuid primary key default gen_random_uuid(), body bytea, name text, received timestamptz);
create table bare_1 (id bigint primary key, status text, changed timestamptz, units integer);
create table bare_2 (like bare_1 including all);
create table bare_3 (like bare_1 including all);
create table bare_4 (like bare_1 including all);
insert into bare_1 select n, 'active', now(), 1000 from generate_series(1, 10000) as n;
insert into bare_2 select * from bare_1;
insert into bare_3 select * from bare_1;
insert into bare_4 select * from bare_1;
\copy bench_samples (body) from pstdin (format csv)
vacuum analyze;
