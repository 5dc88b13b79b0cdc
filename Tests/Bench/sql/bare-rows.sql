-- pgbench: an event inserted with its body, one row of one of four other tables changed.
\set sample random(1, :samples)
\set n random(1, 10000)
\set table random(1, 4)
\set is1 :table = 1
\set is2 :table = 2
\set is3 :table = 3
begin;
insert into bare_events (body, name, received)
select convert_to(body, 'UTF8'), 'subscription_updated', now() from bench_samples where n = :sample;
\if :is1
update bare_1 set status = 'active', changed = now(), units = units - 1 where id = :n;
\elif :is2
update bare_2 set status = 'active', changed = now(), units = units - 1 where id = :n;
\elif :is3
update bare_3 set status = 'active', changed = now(), units = units - 1 where id = :n;
\else
update bare_4 set status = 'active', changed = now(), units = units - 1 where id = :n;
\endif
commit;
