-- Taking over tables that another program made, first half: they get the columns of the first migration, with its types
-- and defaults, and NULLs become the defaults. What the first migration makes is read from `adoption_reference`, where
-- it was run.

create temporary table adoption_tables on commit drop as
select c.relname::text as name, c.oid as reference, o.oid as own
from pg_class c
join pg_class o on o.relname = c.relname and o.relkind in ('r', 'p') and o.relnamespace = current_schema()::regnamespace
where c.relnamespace = 'adoption_reference'::regnamespace and c.relkind = 'r'
    and c.relname in (
        'users', 'tasks', 'task_logs', 'subscription_plans', 'user_subscriptions', 'api_keys', 'usage_analytics'
    );

create temporary table adoption_columns on commit drop as
select t.name as table_name, t.own, a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type,
    a.attnotnull as is_required, pg_get_expr(d.adbin, d.adrelid) as fallback, a.attnum as position
from adoption_tables t
join pg_attribute a on a.attrelid = t.reference and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum;

-- Definitions name that schema's tables with it.
create temporary table adoption_constraints on commit drop as
select t.name as table_name, t.own, c.conname::text as name, c.contype::text as type,
    -- A list of words comes out with casts, and read again it would come out with others.
    regexp_replace(
        regexp_replace(
            replace(pg_get_constraintdef(c.oid), 'adoption_reference.', ''),
            '^CHECK \(\(\((\w+)\)::text = ANY \(\(ARRAY\[(.*)\]\)::text\[\]\)\)\)$', 'CHECK (\1 in (\2))'
        ),
        '::character varying', '', 'g'
    ) as definition,
    array(
        select a.attname::text from pg_attribute a where a.attrelid = c.conrelid and a.attnum = any (c.conkey)
        order by 1
    ) as columns
from adoption_tables t
join pg_constraint c on c.conrelid = t.reference and c.contype in ('p', 'u', 'f', 'c');

drop schema adoption_reference cascade;

do $adopt$
declare
    r record;
begin
    -- Keys and indexes over columns of ours alone: the migrations make theirs. What has a column of the other program's,
    -- or is a rule of its own, stays.
    for r in
        select t.name as table_name, c.conname as name
        from adoption_tables t
        join pg_constraint c on c.conrelid = t.own and c.contype in ('f', 'u')
        cross join lateral (
            select array(
                select a.attname::text from pg_attribute a where a.attrelid = c.conrelid and a.attnum = any (c.conkey)
                order by 1
            ) as names
        ) as k
        where c.contype = 'f' and k.names <@ array(select name from adoption_columns where table_name = t.name)
            or k.names = array['date', 'user_id'] and t.name = 'usage_analytics'
            or exists (
                select from adoption_constraints o
                where o.table_name = t.name and o.type = 'u' and o.columns = k.names
            )
        order by c.contype
    loop
        execute format('alter table %I drop constraint %I', r.table_name, r.name);
    end loop;
    for r in
        select i.indexrelid::regclass as name
        from adoption_tables t
        join pg_index i on i.indrelid = t.own
        cross join lateral (
            select array(
                select a.attname::text from pg_attribute a where a.attrelid = i.indexrelid order by 1
            ) as names
        ) as k
        where i.indexprs is null and i.indpred is null
            and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
            and k.names <@ array(select name from adoption_columns where table_name = t.name)
            and (
                not i.indisunique or k.names = array['date', 'user_id'] and t.name = 'usage_analytics'
                or exists (
                    select from adoption_constraints o
                    where o.table_name = t.name and o.type in ('u', 'p') and o.columns = k.names
                )
            )
    loop
        execute format('drop index %s', r.name);
    end loop;

    for r in
        select c.*, a.attnum is not null as is_there, a.attnotnull as was_required,
            format_type(a.atttypid, a.atttypmod) as type_found
        from adoption_columns c
        left join pg_attribute a on a.attrelid = c.own and a.attname = c.name and not a.attisdropped
        order by c.table_name, c.position
    loop
        if not r.is_there then
            execute format('alter table %I add column %I %s', r.table_name, r.name, r.type);
        elsif r.type_found <> r.type then
            execute format('alter table %I alter column %I drop default', r.table_name, r.name);
            execute format(
                'alter table %I alter column %I type %s using %I%s', r.table_name, r.name, r.type, r.name,
                -- Times without a zone are UTC in such programs.
                case when r.type_found like 'timestamp%without time zone' then ' at time zone ''UTC'''
                    else '::' || r.type end
            );
        end if;
        if r.was_required and not r.is_required then
            execute format('alter table %I alter column %I drop not null', r.table_name, r.name);
        end if;
        if r.fallback is null then
            execute format('alter table %I alter column %I drop default', r.table_name, r.name);
        else
            execute format('alter table %I alter column %I set default %s', r.table_name, r.name, r.fallback);
            if r.is_required then
                execute format('update %I set %I = default where %I is null', r.table_name, r.name, r.name);
            end if;
        end if;
    end loop;
end $adopt$;
