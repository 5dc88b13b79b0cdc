-- Taking over tables that another program made, second half, once no row is left that they refuse: what is required, and
-- the keys and checks of the first migration.

do $adopt$
declare
    r record;
    found text;
begin
    for r in select * from adoption_columns where is_required order by table_name, position loop
        execute format('alter table %I alter column %I set not null', r.table_name, r.name);
    end loop;
    for r in
        select * from adoption_constraints order by array_position(array['p', 'u', 'c', 'f'], type), table_name, name
    loop
        select c.conname into found from pg_constraint c
        where c.conrelid = r.own and (c.conname = r.name or r.type = 'p' and c.contype = 'p');
        if r.type = 'p' and found is not null then
            if found <> r.name then
                execute format('alter table %I rename constraint %I to %I', r.table_name, found, r.name);
            end if;
            continue;
        end if;
        if found is not null then
            execute format('alter table %I drop constraint %I', r.table_name, found);
        end if;
        execute format('alter table %I add constraint %I %s', r.table_name, r.name, r.definition);
    end loop;
end $adopt$;
