extension Bool: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .bool }
    public static var postgresArrayType: PostgresType { .boolArray }

    public func encode(into bytes: inout [UInt8]) {
        bytes.append(self ? 1 : 0)
    }

    public static func accepts(_ type: PostgresType) -> Bool {
        type == .bool
    }

    public static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> Bool {
        try cell.integer(UInt8.self) != 0
    }
}

/// Bound as `bigint`, which PostgreSQL compares with and assigns to `integer` and `smallint` by itself. A function
/// that takes `integer` needs a cast: `make_interval(days => \(days)::integer)`.
extension Int: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .int8 }
    public static var postgresArrayType: PostgresType { .int8Array }

    public func encode(into bytes: inout [UInt8]) {
        bytes.appendBigEndian(Int64(self))
    }

    public static func accepts(_ type: PostgresType) -> Bool {
        type == .int8 || type == .int4 || type == .int2
    }

    public static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> Int {
        switch cell.type {
        case .int2: Int(try cell.integer(Int16.self))
        case .int4: Int(try cell.integer(Int32.self))
        default: Int(try cell.integer(Int64.self))
        }
    }
}

extension Int32: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .int4 }
    public static var postgresArrayType: PostgresType { .int4Array }

    public func encode(into bytes: inout [UInt8]) {
        bytes.appendBigEndian(self)
    }

    public static func accepts(_ type: PostgresType) -> Bool {
        type == .int4 || type == .int2
    }

    public static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> Int32 {
        cell.type == .int2 ? Int32(try cell.integer(Int16.self)) : try cell.integer()
    }
}
