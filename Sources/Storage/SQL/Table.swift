/// A row of a table, read from its columns by either database.
protocol Record: Sendable {
    /// In the order in which they are read.
    static var columns: Columns { get }
    /// - Throws: `StoreError.failed`.
    init(row: inout RowReader) throws
}

/// Names of columns.
struct Columns: Sendable, ExpressibleByArrayLiteral {
    let names: [String]
    /// As a select has them.
    let list: String

    init(_ names: [String]) {
        self.names = names
        list = names.joined(separator: ", ")
    }

    init(arrayLiteral names: String...) { self.init(names) }

    /// Of the table with this alias.
    func list(of alias: String) -> String { names.map { "\(alias).\($0)" }.joined(separator: ", ") }
}

extension Query where Result: Record {
    /// Rows of a table; the SQL after its columns begins with `from`.
    init(select rest: SQL) {
        self.init("select \(raw: Result.columns.list) " + rest, Result.init(row:))
    }
}

/// A column that is written: its name, its type, and what a row has in it.
struct Column<Row>: Sendable {
    let name: String
    let type: SQLType
    let value: @Sendable (Row) -> SQLValue

    init<Value: StoredValue>(_ name: String, _ value: @escaping @Sendable (Row) -> Value) {
        self.name = name
        type = Value.sqlType
        self.value = { value($0).sqlValue }
    }
}

/// A table as it is written: its columns, once, and the statements that follow from them.
struct Table<Row: Sendable>: Sendable {
    let name: String
    /// By which a row is found again.
    let key: [String]
    let columns: [Column<Row>]

    init(_ name: String, key: [String], _ columns: [Column<Row>]) {
        self.name = name
        self.key = key
        self.columns = columns
        list = columns.map(\.name).joined(separator: ", ")
        newList = columns.map { "new.\($0.name)" }.joined(separator: ", ")
    }

    private let list: String
    private let newList: String
    private var others: [String] { columns.map(\.name).filter { !key.contains($0) } }

    /// The rows as a table in SQL.
    func set(_ rows: [Row]) -> RowSet {
        RowSet(
            columns: columns.map { ($0.name, $0.type) },
            rows: rows.map { row in columns.map { $0.value(row) } })
    }

    /// In the order given.
    func insert(_ rows: [Row]) -> SQL {
        """
        insert into \(raw: name) (\(raw: list))
        select \(raw: newList) from \(set(rows)) order by new.position
        """
    }

    /// Inserts rows, or replaces what is stored of them.
    ///
    /// - Parameter changes: how a column of a stored row changes; else it is replaced.
    func upsert(_ rows: [Row], changes: [String: String] = [:]) -> SQL {
        let sets = others.map { "\($0) = \(changes[$0] ?? "excluded.\($0)")" }.joined(separator: ", ")
        return """
            insert into \(raw: name) (\(raw: list))
            select \(raw: newList) from \(set(rows)) where true
            on conflict (\(raw: key.joined(separator: ", "))) do update set \(raw: sets)
            """
    }

    /// Replaces what is stored of rows.
    ///
    /// - Parameter changes: how a column of a stored row changes; else it is replaced.
    func update(_ rows: [Row], changes: [String: String] = [:]) -> SQL {
        let sets = others.map { "\($0) = \(changes[$0] ?? "new.\($0)")" }.joined(separator: ", ")
        let found = key.map { "\(name).\($0) = new.\($0)" }.joined(separator: " and ")
        return "update \(raw: name) set \(raw: sets) from \(set(rows)) where \(raw: found)"
    }

    /// Removes the stored rows with these keys. The table consists of its key alone.
    func delete(_ rows: [Row]) -> SQL {
        """
        delete from \(raw: name) where (\(raw: list)) in (
            select \(raw: newList) from \(set(rows))
        )
        """
    }
}

/// Rows that a statement brings along.
struct RowSet: Sendable {
    var columns: [(name: String, type: SQLType)]
    var rows: [[SQLValue]]
}
