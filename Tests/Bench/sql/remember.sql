-- The opposite of forget.sql.
do $$
declare
    name text;
begin
    for name in select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
        execute format('alter table %I reset (autovacuum_enabled)', name);
    end loop;
end $$;
vacuum analyze;
