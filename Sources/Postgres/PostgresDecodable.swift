/// A value that can be read from a column.
///
/// An enumeration with raw values needs no more than the name of this protocol; a raw value it does not know is an
/// error of decoding.
public protocol PostgresDecodable: Sendable {
    /// Whether values of this type can be read from a column of that type.
    static func accepts(_ type: PostgresType) -> Bool

    /// Reads one value.
    ///
    /// - Parameter cell: the value as the server sent it; its type is one that `accepts` has accepted.
    /// - Throws: the reason why it cannot be read.
    static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> Self
}

/// One value of a row in PostgreSQL's binary format. It points into the result and is valid during `decode` only.
public struct PostgresCell {
    /// The bytes, or `nil` for NULL.
    public let bytes: UnsafeRawBufferPointer?
    public let type: PostgresType

    public init(bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        self.bytes = bytes
        self.type = type
    }

    /// The bytes of a value that must be there.
    public func notNull() throws(PostgresDecodingError.Reason) -> UnsafeRawBufferPointer {
        guard let bytes else { throw .null }
        return bytes
    }

    /// The whole value as an integer of that width.
    public func integer<Integer: FixedWidthInteger>(
        _: Integer.Type = Integer.self
    ) throws(PostgresDecodingError.Reason) -> Integer {
        let bytes = try notNull()
        guard bytes.count == MemoryLayout<Integer>.size else { throw .malformed }
        return bytes.bigEndian(at: 0)
    }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    public static func accepts(_ type: PostgresType) -> Bool {
        RawValue.accepts(type)
    }

    public static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> Self {
        guard let value = Self(rawValue: try RawValue.decode(cell)) else { throw .outOfRange }
        return value
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    public static func accepts(_ type: PostgresType) -> Bool {
        Wrapped.accepts(type)
    }

    public static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> Wrapped? {
        if cell.bytes == nil { return nil }
        return try Wrapped.decode(cell)
    }
}
