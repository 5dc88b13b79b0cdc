/// A column that cannot be read as asked. It names the column and the types, never the value.
public struct PostgresDecodingError: Error, Equatable, Sendable {
    public enum Reason: Error, Equatable, Sendable {
        /// The row has another number of columns than were asked for.
        case columnCount
        /// There is no such column, or more than one is asked for by a name that only one has.
        case noSuchColumn
        /// The column's type is not one the Swift type is read from.
        case typeMismatch
        /// NULL, and the Swift type is not optional.
        case null
        /// A value that the Swift type cannot hold.
        case outOfRange
        /// Bytes that are not what the column's type promises.
        case malformed
    }

    public let reason: Reason
    /// The column's name, or the names that were asked for.
    public let column: String
    /// The Swift type.
    public let expected: String
    /// The column's type, if there is the column.
    public let actual: PostgresType?
}

extension PostgresDecodingError: CustomStringConvertible {
    public var description: String {
        switch reason {
        case .columnCount: "the row has another number of columns than \(expected)"
        case .noSuchColumn: "the result has no column \(column)"
        case .typeMismatch: "column \(column) is \(typeName) and cannot be read as \(expected)"
        case .null: "column \(column) is NULL and cannot be read as \(expected)"
        case .outOfRange: "column \(column) (\(typeName)) has a value that \(expected) cannot hold"
        case .malformed: "column \(column) (\(typeName)) has a malformed value for \(expected)"
        }
    }

    private var typeName: String {
        actual.map(String.init(describing:)) ?? "of no known type"
    }
}
