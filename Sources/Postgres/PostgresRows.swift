/// The rows a query returned; the server has sent them all.
///
/// `try rows.map { try $0.decode(UUID.self, String?.self, Int.self) }`
public struct PostgresRows: Sendable, RandomAccessCollection {
    /// Shares one result among the rows taken from it.
    final class Storage: Sendable {
        let result: PostgresResult
        let columns: [String]

        init(_ result: consuming PostgresResult) {
            var columns: [String] = []
            for column in 0..<result.columnCount { columns.append(result.columnName(column)) }
            self.columns = columns
            self.result = result
        }
    }

    let storage: Storage
    public let count: Int

    init(_ result: consuming PostgresResult) {
        count = result.rowCount
        storage = Storage(result)
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    public subscript(position: Int) -> PostgresRow {
        precondition(position >= 0 && position < count, "there is no such row")
        return PostgresRow(storage: storage, index: position)
    }

    /// How many rows the statement inserted, changed, deleted or returned.
    public var affected: Int { storage.result.affectedRows }

    /// What the command did, such as `INSERT 0 3` or `COMMIT`.
    var commandTag: String { storage.result.commandTag }

    /// All columns of every row, for queries whose columns are nothing but texts.
    ///
    /// - Throws: `PostgresDecodingError` if one is none.
    public func texts() throws -> [[String?]] {
        try map { row in try (0..<storage.result.columnCount).map { try row.decode(column: $0) } }
    }

    /// The only column of every row.
    ///
    /// - Throws: `PostgresDecodingError`.
    public func values<Value: PostgresDecodable>(_ type: Value.Type = Value.self) throws -> [Value] {
        try map { try $0.decode(type) }
    }
}
