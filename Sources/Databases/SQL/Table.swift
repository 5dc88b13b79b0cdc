/// Names of columns.
package struct Columns: Sendable, ExpressibleByArrayLiteral {
    package let names: [String]
    /// As a select has them.
    package let list: String

    package init(_ names: [String]) {
        self.names = names
        list = names.joined(separator: ", ")
    }

    package init(arrayLiteral names: String...) { self.init(names) }

    /// Of the table with this alias.
    package func list(of alias: String) -> String { names.map { "\(alias).\($0)" }.joined(separator: ", ") }
}

/// A column that is written: its name, its type, and what a row has in it.
@usableFromInline
package struct Column<Row>: Sendable {
    @usableFromInline
    package let name: String
    @usableFromInline
    package let type: SQLType
    @usableFromInline
    package let value: @Sendable (Row) -> SQLValue

    @inlinable
    package init<Value: StoredValue>(_ name: String, _ value: @escaping @Sendable (Row) -> Value) {
        self.name = name
        type = Value.sqlType
        self.value = { value($0).sqlValue }
    }
}

/// A table as it is written: its columns, once, and the statements that follow from them.
@usableFromInline
package struct Table<Row: Sendable>: Sendable {
    @usableFromInline
    package let name: String
    /// By which a row is found again.
    @usableFromInline
    package let key: [String]
    @usableFromInline
    package let columns: [Column<Row>]

    @inlinable
    package init(_ name: String, key: [String], _ columns: [Column<Row>]) {
        self.name = name
        self.key = key
        self.columns = columns
        list = columns.map(\.name).joined(separator: ", ")
        newList = columns.map { "new.\($0.name)" }.joined(separator: ", ")
        others = columns.map { $0.name }.filter { !key.contains($0) }
    }

    @usableFromInline
    let list: String
    @usableFromInline
    let newList: String
    /// The columns that are not its key.
    @usableFromInline
    let others: [String]

    /// The rows as a table in SQL.
    @inlinable
    package func set(_ rows: [Row]) -> RowSet {
        RowSet(
            columns: columns.map { ($0.name, $0.type) },
            rows: rows.map { row in columns.map { $0.value(row) } })
    }

    /// In the order given.
    @inlinable
    package func insert(_ rows: [Row]) -> SQL {
        """
        insert into \(raw: name) (\(raw: list))
        select \(raw: newList) from \(set(rows)) order by new.position
        """
    }

    /// Inserts rows, or replaces what is stored of them.
    ///
    /// - Parameter changes: how a column of a stored row changes; else it is replaced.
    @inlinable
    package func upsert(_ rows: [Row], changes: [String: String] = [:]) -> SQL {
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
    @inlinable
    package func update(_ rows: [Row], changes: [String: String] = [:]) -> SQL {
        let sets = others.map { "\($0) = \(changes[$0] ?? "new.\($0)")" }.joined(separator: ", ")
        let found = key.map { "\(name).\($0) = new.\($0)" }.joined(separator: " and ")
        return "update \(raw: name) set \(raw: sets) from \(set(rows)) where \(raw: found)"
    }

    /// Removes the stored rows with these keys. The table consists of its key alone.
    @inlinable
    package func delete(_ rows: [Row]) -> SQL {
        """
        delete from \(raw: name) where (\(raw: list)) in (
            select \(raw: newList) from \(set(rows))
        )
        """
    }
}

/// Rows that a statement brings along.
@usableFromInline
package struct RowSet: Sendable {
    @usableFromInline
    package var columns: [(name: String, type: SQLType)]
    @usableFromInline
    package var rows: [[SQLValue]]

    @inlinable
    package init(columns: [(name: String, type: SQLType)], rows: [[SQLValue]]) {
        self.columns = columns
        self.rows = rows
    }
}
