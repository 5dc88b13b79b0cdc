import Databases

/// A row of a table, read from its columns by either database.
protocol Record: Sendable {
    /// In the order in which they are read.
    static var columns: Columns { get }
    /// - Throws: `StoreError.failed`.
    init(row: inout RowReader) throws
}

extension Query where Result: Record {
    /// Rows of a table; the SQL after its columns begins with `from`.
    init(select rest: SQL) {
        self.init("select \(raw: Result.columns.list) " + rest, Result.init(row:))
    }
}
