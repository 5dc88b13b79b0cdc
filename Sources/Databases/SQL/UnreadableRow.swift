/// A stored row with a value that this program cannot read, because another one wrote it: a date that is none, for example.
/// It is named, and never shown: the value may be personal.
public struct UnreadableRow: Error, Sendable, Hashable, Codable {
    /// nil: the row is put together from several.
    public var table: String?
    /// The column by which the row is found, such as `id`, or `user_id` of what is an account's.
    public var key: String?
    /// What stands in it; nil: it cannot be read either.
    public var id: String?
    public var column: String

    public init(table: String? = nil, key: String? = nil, id: String? = nil, column: String) {
        self.table = table
        self.key = key
        self.id = id
        self.column = column
    }
}

extension UnreadableRow: CustomStringConvertible {
    public var description: String {
        let row = key.map { " (\($0) \(id ?? "unreadable"))" } ?? ""
        return
            "a row\(table.map { " of \($0)" } ?? "")\(row) cannot be read: its column \(column) holds no usable value"
    }
}

extension Result where Failure == UnreadableRow {
    /// - Throws: `StoreError.unreadable`.
    package func orThrow() throws -> Success {
        switch self {
        case .success(let row): return row
        case .failure(let row): throw StoreError.unreadable(row)
        }
    }
}

extension Query {
    /// The same, but a row that cannot be read is given as what it is.
    package var each: Query<Swift.Result<Result, UnreadableRow>> {
        let read = read
        return Query<Swift.Result<Result, UnreadableRow>>(sql) { row in
            do {
                return .success(try read(&row))
            } catch StoreError.unreadable(let unreadable) {
                return .failure(unreadable)
            }
        }
    }
}
