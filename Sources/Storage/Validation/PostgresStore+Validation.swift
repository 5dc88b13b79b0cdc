import Postgres

extension PostgresStore {
    public func validateSchema() async throws -> SchemaReport {
        let (catalogue, applied) = try await catalogue()
        let report = Catalogue.postgreSQL.compare(catalogue)
        return SchemaReport(differences: report.differences + plan.differences(applied), notes: report.notes)
    }

    func catalogue() async throws -> (Catalogue, [MigrationPlan.Applied]) {
        try await mapped {
            try await pool.withTransaction(isolation: .repeatableRead, readOnly: true) { connection in
                // Expressions are spelled as these settings say, which a server or a user may have changed.
                _ = try await connection.query(
                    """
                    select set_config('intervalstyle', 'postgres', true), set_config('datestyle', 'ISO', true),
                        set_config('timezone', 'UTC', true), set_config('quote_all_identifiers', 'off', true)
                    """)
                return (try await Self.catalogue(connection), try await Self.applied(connection))
            }
        }
    }

    /// What is visible on the search path, apart from the system's own.
    private static func catalogue(_ connection: PostgresConnection) async throws -> Catalogue {
        let version = try await connection.query("select current_setting('server_version_num')::int / 10000")
        var entries: [CatalogueEntry] = []
        for row in try await connection.query(PostgresQuery(unescaped: catalogueSQL)) {
            let (kind, table, name, definition) = try row.decode(
                String.self, String?.self, String.self, String.self)
            guard let kind = CatalogueEntry.Kind(rawValue: kind) else { continue }
            let isExpression = kind == .check
            entries.append(
                CatalogueEntry(
                    kind: kind, table: table, name: isExpression ? SQLText(name).description : name,
                    definition: SQLText(definition).description))
        }
        if entries.contains(where: { $0.kind == .column && $0.table == "subscription_plans" && $0.name == "id" }) {
            entries += try await connection.query("select id from subscription_plans").values(String.self).map {
                CatalogueEntry(kind: .plan, table: "subscription_plans", name: $0, definition: "")
            }
        }
        return Catalogue(version: try version.values(Int.self)[0], entries: entries)
    }

    /// Kind, table, name, definition.
    private static let catalogueSQL = """
        with relation as (
            select c.oid, c.relname::text as name, c.relkind, c.relpersistence
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p', 'v') and n.nspname = any(current_schemas(false)) and pg_table_is_visible(c.oid)
        ), base as (
            select * from relation where relkind <> 'v'
        ), key as (
            select c.oid, c.contype, c.conrelid, c.confrelid, c.condeferrable, c.convalidated, c.confupdtype,
                c.confdeltype, c.conbin, c.conindid,
                (
                    select '(' || string_agg(a.attname, ', ' order by k.place) || ')'
                    from unnest(c.conkey) with ordinality as k (number, place)
                    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number
                ) as columns,
                (
                    select '(' || string_agg(a.attname, ', ' order by k.place) || ')'
                    from unnest(c.confkey) with ordinality as k (number, place)
                    join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number
                ) as referenced
            from pg_constraint c
        ), action (code, words) as (
            values ('a', ''), ('r', 'restrict'), ('c', 'cascade'), ('n', 'set null'), ('d', 'set default')
        )
        select 'extension', null, extname::text, '' from pg_extension
        union all
        select 'table', name, name,
            case relpersistence when 'u' then 'unlogged ' when 't' then 'temporary ' else '' end
                || case relkind when 'p' then 'partitioned ' else '' end || 'table'
        from base
        union all
        select 'view', null, name, pg_get_viewdef(oid) from relation where relkind = 'v'
        union all
        select 'column', b.name, a.attname::text,
            format_type(a.atttypid, a.atttypmod)
                || case when a.attcollation <> t.typcollation then ' collate ' || a.attcollation::regcollation else '' end
                || case when a.attnotnull then ' not null' else '' end
                || case
                    when a.attgenerated <> '' then ' generated always as (' || pg_get_expr(d.adbin, d.adrelid, true) || ')'
                        || case a.attgenerated when 's' then ' stored' else ' virtual' end
                    when a.attidentity = 'a' then ' generated always as identity'
                    when a.attidentity = 'd' then ' generated by default as identity'
                    when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid, true)
                    else ''
                end
        from base b
        join pg_attribute a on a.attrelid = b.oid and a.attnum > 0 and not a.attisdropped
        join pg_type t on t.oid = a.atttypid
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        union all
        select case k.contype when 'p' then 'primary key' when 'u' then 'unique' when 'f' then 'foreign key' else 'check' end,
            b.name,
            case k.contype
                when 'p' then ''
                when 'u' then k.columns
                when 'f' then k.columns || ' to ' || k.confrelid::regclass || ' ' || k.referenced
                else pg_get_expr(k.conbin, k.conrelid, true)
            end,
            concat_ws(' ',
                case k.contype when 'p' then k.columns end,
                case k.contype when 'f' then 'on delete ' || coalesce(nullif(gone.words, ''), 'no action') end,
                case when k.contype = 'f' and changed.words <> '' then 'on update ' || changed.words end,
                case when k.condeferrable then 'deferrable' end,
                case when not k.convalidated then 'not valid' end)
        from base b
        join key k on k.conrelid = b.oid and k.contype in ('p', 'u', 'f', 'c')
        left join action gone on gone.code = k.confdeltype
        left join action changed on changed.code = k.confupdtype
        union all
        select 'index', b.name, c.relname::text,
            case when i.indisunique then 'unique ' else '' end
                || substring(pg_get_indexdef(i.indexrelid, 0, true) from ' USING (.*)$')
                || case when i.indisvalid then '' else ' invalid' end
        from base b
        join pg_index i on i.indrelid = b.oid
        join pg_class c on c.oid = i.indexrelid
        where not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
        union all
        select 'function', null, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
            'returns ' || format_type(p.prorettype, null) || ' language ' || l.lanname || ' as ' || p.prosrc
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
        where p.prokind = 'f' and n.nspname = any(current_schemas(false)) and pg_function_is_visible(p.oid)
            and not exists (
                select from pg_depend d
                where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
            )
        union all
        select 'trigger', b.name, t.tgname::text,
            substring(pg_get_triggerdef(t.oid, true) from '(?:BEFORE|AFTER|INSTEAD OF) .*$')
                || case t.tgenabled
                    when 'O' then '' when 'D' then ' disabled' when 'R' then ' enabled for replicas' else ' enabled always'
                end
        from base b join pg_trigger t on t.tgrelid = b.oid and not t.tgisinternal
        """
}
