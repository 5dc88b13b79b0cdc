import Databases

/// A row of a table, read from its columns by either database.
protocol Record: Sendable {
    /// In the order in which they are read.
    static var columns: Columns { get }
    /// The name of the table, or the view, for errors.
    static var tableName: String { get }
    /// The column by which a row is found, for errors.
    static var keyName: String { get }
    /// - Throws: `StoreError.unreadable`.
    init(row: inout RowReader) throws
}

extension Record {
    static var keyName: String { "id" }
}

extension RowReader {
    /// Reads what stands next as a record.
    ///
    /// - Throws: `StoreError.unreadable`, which names the record.
    mutating func record<Row: Record>(_: Row.Type = Row.self) throws -> Row {
        try row(of: Row.tableName, key: Row.keyName) { try Row(row: &$0) }
    }

    /// The same, where one that cannot be read is to end nothing.
    mutating func recordOrName<Row: Record>(_: Row.Type = Row.self) throws -> Result<Row, UnreadableRow> {
        do {
            return .success(try record())
        } catch StoreError.unreadable(let row) {
            return .failure(row)
        }
    }
}

extension Query where Result: Record {
    /// Rows of a table; the SQL after its columns begins with `from`.
    init(select rest: SQL) {
        self.init("select \(raw: Result.columns.list) " + rest) { try $0.record() }
    }
}
