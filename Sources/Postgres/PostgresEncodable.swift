/// A value that can be bound to a parameter of a query.
///
/// An enumeration with raw values needs no more than the name of this protocol:
/// `enum Status: String, PostgresEncodable`.
public protocol PostgresEncodable: Sendable {
    /// The type the parameter is declared with; the server casts from there as it does in an assignment.
    static var postgresType: PostgresType { get }

    /// Whether the value is bound as NULL; then `encode` is not called.
    var isPostgresNull: Bool { get }

    /// Appends the value in PostgreSQL's binary format.
    func encode(into bytes: inout [UInt8])
}

/// A value that can be an element of an array parameter. Arrays themselves are not: PostgreSQL's arrays of several
/// dimensions are rectangular, Swift's need not be.
public protocol PostgresArrayElement: PostgresEncodable {
    /// The type of an array of such values.
    static var postgresArrayType: PostgresType { get }
}

extension PostgresEncodable {
    public var isPostgresNull: Bool { false }
}

extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    public static var postgresType: PostgresType { RawValue.postgresType }

    public func encode(into bytes: inout [UInt8]) {
        rawValue.encode(into: &bytes)
    }
}

extension PostgresArrayElement where Self: RawRepresentable, RawValue: PostgresArrayElement {
    public static var postgresArrayType: PostgresType { RawValue.postgresArrayType }
}

/// `nil` is a NULL of the wrapped value's type, so that the server need not guess.
extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    public static var postgresType: PostgresType { Wrapped.postgresType }

    public var isPostgresNull: Bool {
        self?.isPostgresNull ?? true
    }

    public func encode(into bytes: inout [UInt8]) {
        self?.encode(into: &bytes)
    }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement {
    public static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }
}
