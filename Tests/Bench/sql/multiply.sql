-- Copies accounts with all that is theirs: those in bench_model (user_id), each :copies times, with other ids, keys and
-- hashes. All columns there are, whatever they are: one that identifies something is changed, any other is kept.
-- Indexes are taken away meanwhile; keys to other tables are not checked and triggers do not fire.
select set_config('bench.copies', :'copies', false);
set session_replication_role = replica;
set synchronous_commit = off;
set maintenance_work_mem = '512MB';

create schema model;
do $$
declare
    tables text[] := array[
        'users', 'webhook_events', 'user_subscriptions', 'compute_unit_buckets', 'compute_unit_ledger'
    ];
    owners text[] := array['id', 'user_id', 'user_id', 'user_id', 'user_id'];
    sorts text[] := array['id', 'arrival', 'id', 'begins_at', 'id'];
    names text;
    expressions text;
    indexes text[];
    statement text;
begin
    for i in 1..array_length(tables, 1) loop
        execute format(
            'create table model.%1$I as select * from %1$I where %2$I in (select user_id from bench_model)',
            tables[i], owners[i]);
        select array_agg(indexdef) into indexes
        from pg_indexes x
        where schemaname = 'public' and tablename = tables[i]
            and not exists (select from pg_constraint where conname = x.indexname);
        for statement in
            select format('drop index %I', indexname) from pg_indexes x
            where schemaname = 'public' and tablename = tables[i]
                and not exists (select from pg_constraint where conname = x.indexname)
        loop
            execute statement;
        end loop;
        select string_agg(quote_ident(column_name), ', ' order by ordinal_position),
            string_agg(
                case
                    when data_type = 'uuid' then
                        format('overlay(m.%1$I::text placing lpad(to_hex(c), 8, ''0'') from 1 for 8)::uuid', column_name)
                    when column_name in ('email', 'google_id') then format('c || ''-'' || m.%I', column_name)
                    when column_name = 'line' then
                        'case m.line when ''free'' then m.line else c || lpad(m.line, 10, ''0'') end'
                    when column_name = 'body_sha256' then 'sha256(int4send(c) || m.body_sha256)'
                    when column_name = 'data_id'
                        or column_name similar to '(lemon_squeezy_)?(subscription|customer|order|order_item)_id' then
                        format('c || lpad(m.%I, 10, ''0'')', column_name)
                    else format('m.%I', column_name)
                end, ', ' order by ordinal_position)
        into names, expressions
        from information_schema.columns
        where table_schema = 'public' and table_name = tables[i] and is_generated = 'NEVER' and is_identity = 'NO';
        execute format(
            'insert into %1$I (%2$s) select %3$s
            from generate_series(1, current_setting(''bench.copies'')::integer) as c
            cross join lateral (select * from model.%1$I order by %4$I offset 0) as m',
            tables[i], names, expressions, sorts[i]);
        foreach statement in array coalesce(indexes, '{}') loop
            execute statement;
        end loop;
    end loop;
end $$;
drop schema model cascade;
drop table bench_model;
