extension SQLiteStore {
    public func validateSchema() async throws -> SchemaReport {
        try await read { connection in
            var report = Catalogue.sqlite.compare(try Self.catalogue(connection))
            switch report.migrationRecord {
            case .sound: report.differences += plan.differences(try Self.applied(connection))
            case .missing: report.differences += plan.differences([])
            case .damaged: break
            }
            return report
        }
    }

    static func catalogue(_ connection: SQLiteConnection) throws -> Catalogue {
        var entries: [CatalogueEntry] = []
        var texts: [String: SQLiteTableText] = [:]
        for row in try connection.query(Self.objectsQuery) {
            let (type, name, table, sql, isStrict, hasNoRowID) = try row.decode(
                String.self, String.self, String.self, String.self, Bool.self, Bool.self)
            let text = SQLText(sql)
            switch type {
            case "table":
                let definition = (isStrict ? "strict table" : "table") + (hasNoRowID ? " without rowid" : "")
                let tableText = SQLiteTableText(text)
                texts[name] = tableText
                entries.append(CatalogueEntry(kind: .table, table: name, name: name, definition: definition))
                entries += tableText.checks.map {
                    CatalogueEntry(kind: .check, table: name, name: $0, definition: "")
                }
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
        entries += try columns(connection, texts)
        entries += try keys(connection, texts)
        entries += try foreignKeys(connection, texts)
        if entries.contains(where: { $0.kind == .column && $0.table == "subscription_plans" && $0.name == "id" }) {
            // As text, of whatever type the column has become.
            let plans: SQLiteQuery = "select cast(id as text) from subscription_plans where id is not null"
            entries += try connection.query(plans).values(String.self).map {
                CatalogueEntry(kind: .plan, table: "subscription_plans", name: $0, definition: "")
            }
        }
        return Catalogue(version: 0, entries: entries)
    }

    private static let objectsQuery: SQLiteQuery = """
        select o.type, o.name, o.tbl_name, o.sql, coalesce(l.strict, 0), coalesce(l.wr, 0)
        from sqlite_schema o left join pragma_table_list l on l.schema = 'main' and l.name = o.name
        where o.sql is not null and o.name not like 'sqlite\\_%' escape '\\'
        """

    private static func columns(
        _ connection: SQLiteConnection, _ texts: [String: SQLiteTableText]
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
            let text = texts[table]?.columns[name] ?? SQLiteTableText.Column()
            var definition = type.lowercased() + text.collation
            if isNotNull { definition += " not null" + text.onConflict }
            if let standard { definition += " default \(SQLText(standard))" }
            definition += text.computed
            return CatalogueEntry(kind: .column, table: table, name: name, definition: definition)
        }
    }

    private static let tablesOnly = "t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\'"

    /// Primary and unique keys.
    private static func keys(
        _ connection: SQLiteConnection, _ texts: [String: SQLiteTableText]
    ) throws -> [CatalogueEntry] {
        let primary = try connection.query(
            """
            select table_name, group_concat(column_name, ', ') from (
                select t.name as table_name, c.name as column_name
                from sqlite_schema t join pragma_table_xinfo(t.name) c
                where c.pk > 0 and \(unescaped: tablesOnly) order by t.name, c.pk
            ) group by table_name
            """
        ).map { row in
            let (table, columns) = try row.decode(String.self, String.self)
            let more = texts[table]?.primaryKey ?? ""
            return CatalogueEntry(kind: .primaryKey, table: table, name: "", definition: "(\(columns))\(more)")
        }
        let unique = try connection.query(
            """
            select table_name, group_concat(column_name, ', ') from (
                select t.name as table_name, i.name as index_name, c.name as column_name
                from sqlite_schema t join pragma_index_list(t.name) i join pragma_index_info(i.name) c
                where i.origin = 'u' and \(unescaped: tablesOnly) order by t.name, i.name, c.seqno
            ) group by table_name, index_name
            """
        ).map { row in
            let (table, columns) = try row.decode(String.self, String.self)
            let name = "(\(columns))"
            let more = texts[table]?.unique[name]?.drop { $0 == " " } ?? ""
            return CatalogueEntry(kind: .unique, table: table, name: name, definition: String(more))
        }
        return primary + unique
    }

    private static func foreignKeys(
        _ connection: SQLiteConnection, _ texts: [String: SQLiteTableText]
    ) throws -> [CatalogueEntry] {
        try connection.query(
            """
            select table_name, '(' || group_concat(column_name, ', ') || ') to ' || target || ' ('
                || group_concat(referenced, ', ') || ')', on_delete, on_update, id
            from (
                select t.name as table_name, f.id, f."from" as column_name, f."table" as target,
                    coalesce(f."to", '') as referenced, f.on_delete, f.on_update
                from sqlite_schema t join pragma_foreign_key_list(t.name) f
                where \(unescaped: tablesOnly) order by t.name, f.id, f.seq
            ) group by table_name, id
            """
        ).map { row in
            let (table, columns, onDelete, onUpdate, number) = try row.decode(
                String.self, String.self, String.self, String.self, Int.self)
            // SQLite counts them from the end of the text.
            let more = texts[table]?.foreignKeys.reversed().dropFirst(number).first ?? ""
            let update = onUpdate == "NO ACTION" ? "" : " on update \(onUpdate.lowercased())"
            return CatalogueEntry(
                kind: .foreignKey, table: table, name: columns,
                definition: "on delete \(onDelete.lowercased())" + update + more)
        }
    }
}
