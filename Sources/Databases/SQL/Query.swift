/// A statement whose rows are read as something.
@usableFromInline
package struct Query<Result>: Sendable {
    @usableFromInline
    package var sql: SQL
    @usableFromInline
    package var read: @Sendable (inout RowReader) throws -> Result

    @inlinable
    package init(_ sql: SQL, _ read: @escaping @Sendable (inout RowReader) throws -> Result) {
        self.sql = sql
        self.read = read
    }

    @inlinable
    package func read(_ stored: any StoredRow) throws -> Result {
        var row = RowReader(stored)
        return try read(&row)
    }
}

extension Query where Result: StoredValue {
    /// The only column of each row.
    @inlinable
    package init(_ sql: SQL, column type: Result.Type = Result.self) {
        self.init(sql) { row in try row.next() }
    }
}

extension Query where Result == Void {
    /// A statement for what it does.
    @inlinable
    package init(_ sql: SQL) { self.init(sql) { _ in } }
}
