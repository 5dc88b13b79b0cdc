extension SQLiteStore {
    public func validateSchema() async throws -> SchemaReport {
        let (catalogue, applied) = try await catalogue()
        let report = Catalogue.sqlite.compare(catalogue)
        return SchemaReport(differences: report.differences + plan.differences(applied), notes: report.notes)
    }

    func catalogue() async throws -> (Catalogue, [MigrationPlan.Applied]) {
        try await read { (try Self.catalogue($0), try Self.applied($0)) }
    }

    static func catalogue(_ connection: SQLiteConnection) throws -> Catalogue {
        var entries: [CatalogueEntry] = []
        for row in try connection.query(Self.objectsQuery) {
            let (type, name, table, sql, isStrict) = try row.decode(
                String.self, String.self, String.self, String.self, Bool.self)
            let text = SQLText(sql)
            switch type {
            case "table":
                entries += SQLiteTableText(text).entries(of: name, isStrict: isStrict)
            case "index":
                let unique = text.tokens.dropFirst().first == "unique" ? "unique " : ""
                let definition = unique + text.from("(").description
                entries.append(CatalogueEntry(kind: .index, table: table, name: name, definition: definition))
            case "trigger":
                let definition = text.from("before", "after", "instead", "insert", "update", "delete").description
                entries.append(CatalogueEntry(kind: .trigger, table: table, name: name, definition: definition))
            default:
                let definition = text.from("as", behind: true).description
                entries.append(CatalogueEntry(kind: .view, table: nil, name: name, definition: definition))
            }
        }
        let generated = Dictionary(
            entries.filter { $0.kind == .column }.map { ([$0.table, $0.name], $0.definition) }
        ) { first, _ in first }
        entries.removeAll { $0.kind == .column }
        entries += try columns(connection, generated: generated)
        entries += try keys(connection)
        if entries.contains(where: { $0.kind == .column && $0.table == "subscription_plans" && $0.name == "id" }) {
            entries += try connection.query("select id from subscription_plans").values(String.self).map {
                CatalogueEntry(kind: .plan, table: "subscription_plans", name: $0, definition: "")
            }
        }
        return Catalogue(version: 0, entries: entries)
    }

    private static let objectsQuery: SQLiteQuery = """
        select o.type, o.name, o.tbl_name, o.sql, coalesce((
            select l.strict from pragma_table_list l where l.schema = 'main' and l.name = o.name
        ), 0)
        from sqlite_schema o
        where o.sql is not null and o.name not like 'sqlite\\_%' escape '\\'
        """

    private static func columns(
        _ connection: SQLiteConnection, generated: [[String?]: String]
    ) throws -> [CatalogueEntry] {
        try connection.query(
            """
            select t.name, c.name, c.type, c."notnull", c.dflt_value
            from sqlite_schema t join pragma_table_xinfo(t.name) c
            where t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\'
            """
        ).map { row in
            let (table, name, type, isNotNull, standard) = try row.decode(
                String.self, String.self, String.self, Bool.self, String?.self)
            var definition = type.lowercased()
            if isNotNull { definition += " not null" }
            if let standard { definition += " default \(SQLText(standard))" }
            definition += generated[[table, name]] ?? ""
            return CatalogueEntry(kind: .column, table: table, name: name, definition: definition)
        }
    }

    /// Primary, unique and foreign keys.
    private static func keys(_ connection: SQLiteConnection) throws -> [CatalogueEntry] {
        let ours = "t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\'"
        let primary = try connection.query(
            """
            select table_name, group_concat(column_name, ', ') from (
                select t.name as table_name, c.name as column_name
                from sqlite_schema t join pragma_table_xinfo(t.name) c
                where c.pk > 0 and \(unescaped: ours) order by t.name, c.pk
            ) group by table_name
            """
        ).map { row in
            let (table, columns) = try row.decode(String.self, String.self)
            return CatalogueEntry(kind: .primaryKey, table: table, name: "", definition: "(\(columns))")
        }
        let unique = try connection.query(
            """
            select table_name, group_concat(column_name, ', ') from (
                select t.name as table_name, i.name as index_name, c.name as column_name
                from sqlite_schema t join pragma_index_list(t.name) i join pragma_index_info(i.name) c
                where i.origin = 'u' and \(unescaped: ours) order by t.name, i.name, c.seqno
            ) group by table_name, index_name
            """
        ).map { row in
            let (table, columns) = try row.decode(String.self, String.self)
            return CatalogueEntry(kind: .unique, table: table, name: "(\(columns))", definition: "")
        }
        let foreign = try connection.query(
            """
            select table_name, '(' || group_concat(column_name, ', ') || ') to ' || target || ' ('
                || group_concat(referenced, ', ') || ')', on_delete, on_update
            from (
                select t.name as table_name, f.id, f."from" as column_name, f."table" as target,
                    coalesce(f."to", '') as referenced, f.on_delete, f.on_update
                from sqlite_schema t join pragma_foreign_key_list(t.name) f
                where \(unescaped: ours) order by t.name, f.id, f.seq
            ) group by table_name, id
            """
        ).map { row in
            let (table, columns, onDelete, onUpdate) = try row.decode(
                String.self, String.self, String.self, String.self)
            let update = onUpdate == "NO ACTION" ? "" : " on update \(onUpdate.lowercased())"
            return CatalogueEntry(
                kind: .foreignKey, table: table, name: columns,
                definition: "on delete \(onDelete.lowercased())" + update)
        }
        return primary + unique + foreign
    }
}
