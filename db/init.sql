-- The schema of Selextract Cloud on PostgreSQL, complete: `psql -f db/init.sql` on an empty database gives exactly what
-- `selextract-billing migrate` gives. On an older schema it adds what is missing, and run again it changes nothing.
-- All of it or none: psql stops at the first error, and nothing is recorded that was not done.

\set ON_ERROR_STOP on
begin;
-- The lock that `migrate` takes.
select pg_advisory_xact_lock(1579075500) as lock \gset

select to_regclass('schema_migrations') is null as missing \gset
\if :missing
\ir 0001-init.sql
\endif

select not exists (select from schema_migrations where version = 2) as missing \gset
\if :missing
\ir 0002-entitlements.sql
\endif

select not exists (select from schema_migrations where version = 3) as missing \gset
\if :missing
\ir 0003-rules.sql
\endif

select not exists (select from schema_migrations where version = 4) as missing \gset
\if :missing
\ir 0004-lean.sql
\endif

select not exists (select from schema_migrations where version = 5) as missing \gset
\if :missing
\ir 0005-functions.sql
\endif

select not exists (select from schema_migrations where version = 6) as missing \gset
\if :missing
\ir 0006-discard.sql
\endif

commit;
