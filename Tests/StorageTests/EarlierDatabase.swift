import Databases
import Schema
import TestSupport

@testable import Storage

extension TestDatabase {
    /// Makes this empty database what an earlier version of the program would have made of it: that version's schema,
    /// and what its columns can hold of another database's rows.
    ///
    /// Another program copies them, without keys being enforced and, on PostgreSQL, without triggers.
    func become(version: Int, withRowsOf present: TestDatabase) async throws {
        let known = (kind == .sqlite ? Schema.sqlite : Schema.postgreSQL).prefix(version)
        let plan = MigrationPlan(known: Array(known))
        let configuration = DatabaseConfiguration(url: url)
        let store =
            switch kind {
            case .postgreSQL: Store(PostgresDriver(configuration), plan: plan)
            case .sqlite: Store(try SQLiteDriver(configuration), plan: plan)
            }
        do {
            try await store.migrate()
            await store.close()
        } catch {
            await store.close()
            throw error
        }
        let off = kind == .sqlite ? "pragma foreign_keys = off;\n" : "set session_replication_role = replica;\n"
        for table in try await tables() {
            let columns = try await columns(of: table)
            let inserts = try await present.inserts(into: table, columns)
            try await execute(off + "delete from \(table);\n" + inserts.joined(separator: "\n"))
        }
    }

    /// All but the record of migrations. The terms of plans, which a trigger writes when plans are made, come after
    /// these.
    private func tables() async throws -> [String] {
        let names = try await values(
            kind == .sqlite
                ? "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'"
                : "select tablename::text from pg_tables where schemaname = 'public'")
        return names.filter { !["schema_migrations", "plan_terms"].contains($0) }.sorted() + ["plan_terms"]
    }

    /// Those that can be written.
    private func columns(of table: String) async throws -> [String] {
        try await values(
            kind == .sqlite
                ? "select name from pragma_table_xinfo('\(table)') where hidden = 0"
                : """
                select column_name::text from information_schema.columns
                where table_schema = 'public' and table_name = '\(table)' and is_generated = 'NEVER'
                """)
    }

    /// Statements that make the rows which are here, and numbers go on behind theirs.
    private func inserts(into table: String, _ columns: [String]) async throws -> [String] {
        let names = columns.map { "\"\($0)\"" }
        let quote = kind == .sqlite ? "quote" : "quote_nullable"
        let row = names.map { "\(quote)(\($0))" }.joined(separator: " || ', ' || ")
        let overriding = kind == .sqlite ? "" : " overriding system value"
        let head = "insert into \(table) (\(names.joined(separator: ", ")))\(overriding) values ("
        let rows = try await values("select '\(head)' || \(row) || ');' from \(table)")
        if kind == .sqlite { return rows }
        let numbered = try await values(
            """
            select column_name::text from information_schema.columns
            where table_schema = 'public' and table_name = '\(table)' and is_identity = 'YES'
            """)
        var statements = rows
        for column in numbered {
            statements += try await values(
                """
                select 'alter table \(table) alter \(column) restart with ' || coalesce(max(\(column)), 0) + 1 || ';'
                from \(table)
                """)
        }
        return statements
    }
}
