/// A row of a result. It keeps the whole result in memory for as long as it lives.
public struct PostgresRow: Sendable {
    let storage: PostgresRows.Storage
    let index: Int

    /// Reads all columns in order.
    ///
    /// - Throws: `PostgresDecodingError` if the columns are not as many as the types, or one cannot be read as asked.
    public func decode<each Value: PostgresDecodable>(
        _ types: repeat (each Value).Type
    ) throws -> (repeat each Value) {
        var expected = 0
        for _ in repeat (each types) { expected += 1 }
        guard expected == storage.result.columnCount else {
            throw PostgresDecodingError(reason: .columnCount, column: "", expected: "\(expected)", actual: nil)
        }
        var column = -1
        func next<Next: PostgresDecodable>(_: Next.Type) throws -> Next {
            column += 1
            return try decode(column: column)
        }
        return (repeat try next((each Value).self))
    }

    /// Reads the first column of that name.
    ///
    /// - Throws: `PostgresDecodingError`.
    public subscript<Value: PostgresDecodable>(_ name: String, as type: Value.Type = Value.self) -> Value {
        get throws {
            guard let column = storage.result.column(named: name) else {
                throw PostgresDecodingError(
                    reason: .noSuchColumn, column: name, expected: "\(Value.self)", actual: nil)
            }
            return try decode(column: column)
        }
    }

    /// The names of the columns, in order.
    public var columns: [String] { storage.columns }

    /// The value of a column. It points into the result, and is valid only as long as this row lives.
    ///
    /// Not generic, and takes no closure: it is called for every value of every row, from other modules.
    ///
    /// - Parameter column: 0 is the first; there has to be one.
    public func unsafeCell(_ column: Int) -> PostgresCell {
        precondition(column >= 0 && column < storage.result.columnCount, "there is no such column")
        return storage.result.cell(row: index, column: column)
    }

    func decode<Value: PostgresDecodable>(column: Int) throws(PostgresDecodingError) -> Value {
        let cell = storage.result.cell(row: index, column: column)
        do throws(PostgresDecodingError.Reason) {
            guard Value.accepts(cell.type) else { throw .typeMismatch }
            // The cell points into the result, which `self` keeps alive until this returns.
            return try withExtendedLifetime(storage) { () throws(PostgresDecodingError.Reason) in
                try Value.decode(cell)
            }
        } catch {
            throw PostgresDecodingError(
                reason: error, column: storage.result.columnName(column), expected: "\(Value.self)",
                actual: cell.type)
        }
    }
}
