import GRDB

/// A row of a result, read by position.
struct SQLiteRow: Sendable {
    let values: [DatabaseValue]
    let columns: [String]

    /// Reads all columns in order.
    ///
    /// - Throws: `StoreError.failed` if the columns are not as many as the types, or one cannot be read as asked. It
    ///   names the column and the type, never the value.
    func decode<each Value: SQLiteDecodable>(_ types: repeat (each Value).Type) throws -> (repeat each Value) {
        var expected = 0
        for _ in repeat (each types) { expected += 1 }
        guard expected == values.count else {
            throw StoreError.failed("the row has \(values.count) columns, not \(expected)")
        }
        var column = -1
        func next<Next: SQLiteDecodable>(_: Next.Type) throws -> Next {
            column += 1
            guard let value = Next(sqliteValue: values[column]) else {
                throw StoreError.failed("column \(columns[column]) cannot be read as \(Next.self)")
            }
            return value
        }
        return (repeat try next((each Value).self))
    }
}

extension [SQLiteRow] {
    /// The only column of each row.
    func values<Value: SQLiteDecodable>(_ type: Value.Type = Value.self) throws -> [Value] {
        try map { try $0.decode(type) }
    }
}
