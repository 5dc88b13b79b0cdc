import Foundation
import Payloads
import Schema
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct SchemaTests {
    /// Queries that answer the same on both databases, as far as the schemas are twins.
    private static let twins: [(what: String, postgreSQL: String, sqlite: String)] = [
        (
            "tables and views",
            """
            select table_name || ' ' || table_type from information_schema.tables where table_schema = 'public'
            """,
            """
            select name || case type when 'view' then ' VIEW' else ' BASE TABLE' end from sqlite_schema
            where type in ('table', 'view') and name not like 'sqlite_%'
            """
        ),
        (
            "columns",
            """
            select table_name || '.' || column_name || ' '
                || row_number() over (partition by table_name order by ordinal_position)
                || case when is_nullable = 'NO' and table_name <> 'account_entitlements' then ' not null' else '' end
            from information_schema.columns where table_schema = 'public'
            """,
            """
            select t.name || '.' || c.name || ' ' || (c.cid + 1)
                || case when c."notnull" or c.pk > 0 or c.name = 'arrival' then ' not null' else '' end
            from sqlite_schema t join pragma_table_xinfo(t.name) c
            where t.type in ('table', 'view') and t.name not like 'sqlite_%'
            """
        ),
        (
            "named indexes",
            """
            select indexname || ' ' || tablename || case when indexdef like 'CREATE UNIQUE%' then ' unique' else '' end
                || case when indexdef like '% WHERE %' then ' partial' else '' end
            from pg_indexes where schemaname = 'public' and indexname like 'idx_%'
            """,
            """
            select i.name || ' ' || t.name || case when i."unique" then ' unique' else '' end
                || case when i.partial then ' partial' else '' end
            from sqlite_schema t join pragma_index_list(t.name) i where t.type = 'table' and i.name like 'idx_%'
            """
        ),
        (
            "indexed columns",
            """
            select i.relname || ' ' || coalesce(a.attname, 'expression')
            from pg_index x join pg_class i on i.oid = x.indexrelid join pg_namespace n on n.oid = i.relnamespace
            cross join unnest(x.indkey) as k (column_number)
            left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.column_number
            where n.nspname = 'public' and i.relname like 'idx_%'
            """,
            """
            select i.name || ' ' || coalesce(c.name, 'expression')
            from sqlite_schema t join pragma_index_list(t.name) i join pragma_index_info(i.name) c
            where t.type = 'table' and i.name like 'idx_%'
            """
        ),
        (
            "foreign keys",
            """
            select c.conrelid::regclass || '.' || a.attname || ' ' || c.confrelid::regclass || ' '
                || case c.confdeltype when 'c' then 'CASCADE' when 'n' then 'SET NULL' when 'a' then 'NO ACTION' end
            from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
            where c.contype = 'f'
            """,
            """
            select t.name || '.' || f."from" || ' ' || f."table" || ' ' || f.on_delete
            from sqlite_schema t join pragma_foreign_key_list(t.name) f where t.type = 'table'
            """
        ),
        (
            "plans",
            "select id || name || description || monthly_compute_units || price_cents from subscription_plans",
            "select id || name || description || monthly_compute_units || price_cents from subscription_plans"
        ),
    ]

    @Test(arguments: twins.indices)
    func `both schemas have the same tables, columns, indexes and keys`(index: Int) async throws {
        let twin = Self.twins[index]
        let postgreSQL = try await DatabaseKind.postgreSQL.withDatabase { try await $0.values(twin.postgreSQL) }
        let sqlite = try await DatabaseKind.sqlite.withDatabase { try await $0.values(twin.sqlite) }
        let difference = Set(postgreSQL).symmetricDifference(sqlite).sorted()
        #expect(difference.isEmpty, "\(twin.what): \(difference)")
        #expect(postgreSQL.count == sqlite.count)
        #expect(!sqlite.isEmpty)
    }

    /// SQLite's own arithmetic makes 3 March of it.
    @Test func `on SQLite the month after 31 January ends with February`() async throws {
        let sql = Schema.sqlite[0].sql.replacing("'now'", with: "'2027-01-31T10:00:00.250Z'")
        try await DatabaseKind.sqlite.withDatabase(migrated: false) { database in
            try await database.execute(sql)
            try await database.execute("insert into users (email) values ('ada@example.com')")
            try await database.execute(
                "insert into user_subscriptions (user_id, plan_id) select id, 'starter' from users")
            let columns = try await database.values(
                """
                select compute_units_reset_date from users
                union all select created_at from users
                union all select current_period_end from user_subscriptions
                """)
            #expect(columns == ["2027-02-28T10:00:00.250Z", "2027-01-31T10:00:00.250Z", "2027-02-28T10:00:00.250Z"])
        }
    }

    @Test func `on SQLite an id that nobody gave is a random UUID in lower case`() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await database.execute(
                """
                with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 500)
                insert into users (email) select n || '@example.com' from numbers
                """)
            let ids = try await database.values("select id from users")
            #expect(Set(ids).count == 500)
            #expect(
                ids.allSatisfy {
                    $0.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil
                })
        }
    }
}
