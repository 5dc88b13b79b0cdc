/// Reads what an SQLite database consists of.
public struct SQLiteSchemaReader {
    private let query: (String) throws -> [[String?]]

    /// - Parameter query: runs one statement, and returns its rows, whose columns are all texts. All statements are to
    ///   run in one transaction, so that they tell of one moment.
    public init(query: @escaping (String) throws -> [[String?]]) {
        self.query = query
    }

    /// What the main database holds, apart from SQLite's own.
    ///
    /// - Throws: what `query` throws; `SchemaReadingError` if a row is not what was asked for.
    public func snapshot() throws -> SchemaSnapshot {
        var entries: [SchemaSnapshot.Entry] = []
        var texts: [String: SQLiteTableText] = [:]
        for row in try query(Self.objectsSQL) {
            let (name, table) = (try row.text(1), try row.text(2))
            let text = SQLText(try row.text(3))
            switch try row.text(0) {
            case "table":
                let kind = try row.text(4) == "1" ? "strict table" : "table"
                let definition = kind + (try row.text(5) == "1" ? " without rowid" : "")
                let tableText = SQLiteTableText(text)
                texts[name] = tableText
                entries.append(SchemaSnapshot.Entry(kind: .table, table: name, name: name, definition: definition))
                entries += tableText.checks.map {
                    SchemaSnapshot.Entry(kind: .check, table: name, name: $0, definition: "")
                }
            case "index":
                let unique = text.tokens.dropFirst().first == "unique" ? "unique " : ""
                let definition = unique + text.from("(").description
                entries.append(SchemaSnapshot.Entry(kind: .index, table: table, name: name, definition: definition))
            case "trigger":
                let definition = text.from("before", "after", "instead", "insert", "update", "delete").description
                entries.append(SchemaSnapshot.Entry(kind: .trigger, table: table, name: name, definition: definition))
            default:
                let definition = text.from("as", behind: true).description
                entries.append(SchemaSnapshot.Entry(kind: .view, table: nil, name: name, definition: definition))
            }
        }
        entries += try columns(texts) + primaryKeys(texts) + uniqueKeys(texts) + foreignKeys(texts)
        if entries.havePlans {
            // As text, of whatever type the column has become.
            let plans = try query("select cast(id as text) from subscription_plans where id is not null")
            entries += try plans.map { try SchemaSnapshot.Entry(plan: $0.text(0)) }
        }
        return SchemaSnapshot(version: 0, entries: entries)
    }

    private static let objectsSQL = """
        select o.type, o.name, o.tbl_name, o.sql, cast(coalesce(l.strict, 0) as text), cast(coalesce(l.wr, 0) as text)
        from sqlite_schema o left join pragma_table_list l on l.schema = 'main' and l.name = o.name
        where o.sql is not null and o.name not like 'sqlite\\_%' escape '\\'
        """

    private static let tablesOnly = "t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\'"

    private func columns(_ texts: [String: SQLiteTableText]) throws -> [SchemaSnapshot.Entry] {
        try query(
            """
            select t.name, c.name, c.type, cast(c."notnull" as text), c.dflt_value
            from sqlite_schema t join pragma_table_xinfo(t.name) c where \(Self.tablesOnly)
            """
        ).map { row in
            let (table, name) = (try row.text(0), try row.text(1))
            let text = texts[table]?.columns[name] ?? SQLiteTableText.Column()
            var definition = try row.text(2).lowercased() + text.collation
            if try row.text(3) == "1" { definition += " not null" + text.onConflict }
            if let standard = row.optionalText(4) { definition += " default \(SQLText(standard))" }
            definition += text.computed
            return SchemaSnapshot.Entry(kind: .column, table: table, name: name, definition: definition)
        }
    }

    private func primaryKeys(_ texts: [String: SQLiteTableText]) throws -> [SchemaSnapshot.Entry] {
        try query(
            """
            select table_name, group_concat(column_name, ', ') from (
                select t.name as table_name, c.name as column_name
                from sqlite_schema t join pragma_table_xinfo(t.name) c
                where c.pk > 0 and \(Self.tablesOnly) order by t.name, c.pk
            ) group by table_name
            """
        ).map { row in
            let (table, columns) = (try row.text(0), try row.text(1))
            let more = texts[table]?.primaryKey ?? ""
            return SchemaSnapshot.Entry(kind: .primaryKey, table: table, name: "", definition: "(\(columns))\(more)")
        }
    }

    private func uniqueKeys(_ texts: [String: SQLiteTableText]) throws -> [SchemaSnapshot.Entry] {
        try query(
            """
            select table_name, group_concat(column_name, ', ') from (
                select t.name as table_name, i.name as index_name, c.name as column_name
                from sqlite_schema t join pragma_index_list(t.name) i join pragma_index_info(i.name) c
                where i.origin = 'u' and \(Self.tablesOnly) order by t.name, i.name, c.seqno
            ) group by table_name, index_name
            """
        ).map { row in
            let table = try row.text(0)
            let name = "(\(try row.text(1)))"
            let more = texts[table]?.unique[name]?.drop { $0 == " " } ?? ""
            return SchemaSnapshot.Entry(kind: .unique, table: table, name: name, definition: String(more))
        }
    }

    private func foreignKeys(_ texts: [String: SQLiteTableText]) throws -> [SchemaSnapshot.Entry] {
        try query(
            """
            select table_name, '(' || group_concat(column_name, ', ') || ') to ' || target || ' ('
                || group_concat(referenced, ', ') || ')', on_delete, on_update, cast(id as text)
            from (
                select t.name as table_name, f.id, f."from" as column_name, f."table" as target,
                    coalesce(f."to", '') as referenced, f.on_delete, f.on_update
                from sqlite_schema t join pragma_foreign_key_list(t.name) f
                where \(Self.tablesOnly) order by t.name, f.id, f.seq
            ) group by table_name, id
            """
        ).map { row in
            let (table, columns, onUpdate) = (try row.text(0), try row.text(1), try row.text(3))
            // SQLite counts them from the end of the text.
            let number = Int(try row.text(4)) ?? 0
            let more = texts[table]?.foreignKeys.reversed().dropFirst(number).first ?? ""
            let update = onUpdate == "NO ACTION" ? "" : " on update \(onUpdate.lowercased())"
            return SchemaSnapshot.Entry(
                kind: .foreignKey, table: table, name: columns,
                definition: "on delete \(try row.text(2).lowercased())" + update + more)
        }
    }
}
