public import Foundation

/// Bound as `text`. Read from every type that is text on the wire, from JSON, and from a database's own types, of
/// which enums and `citext` are text too. PostgreSQL refuses U+0000 in text (SQLSTATE 22021).
extension String: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .text }
    public static var postgresArrayType: PostgresType { .textArray }

    public func encode(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: utf8)
    }

    public static func accepts(_ type: PostgresType) -> Bool {
        switch type {
        case .text, .varchar, .bpchar, .name, .char, .unknown, .json, .jsonb: true
        default: type.isUserDefined && type.element == nil
        }
    }

    public static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> String {
        var bytes = try cell.notNull()
        if cell.type == .jsonb {
            guard bytes.first == PostgresJSON.version else { throw .malformed }
            bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        }
        guard let text = try? UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span) else { throw .malformed }
        return String(copying: text)
    }
}

/// A JSON document as text, bound as `jsonb`; the server checks it (SQLSTATE 22P02).
public struct PostgresJSON: Hashable, Sendable {
    public var text: String

    public init(text: String) {
        self.text = text
    }

    /// The byte that binary `jsonb` begins with.
    static let version: UInt8 = 1
}

extension PostgresJSON: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .jsonb }
    public static var postgresArrayType: PostgresType { .jsonbArray }

    public func encode(into bytes: inout [UInt8]) {
        bytes.append(Self.version)
        bytes.append(contentsOf: text.utf8)
    }

    public static func accepts(_ type: PostgresType) -> Bool {
        type == .jsonb || type == .json
    }

    public static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> PostgresJSON {
        PostgresJSON(text: try String.decode(cell))
    }
}

/// Bound as and read from `bytea`.
extension Data: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .bytea }
    public static var postgresArrayType: PostgresType { .byteaArray }

    public func encode(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: self)
    }

    public static func accepts(_ type: PostgresType) -> Bool {
        type == .bytea
    }

    public static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> Data {
        Data(try cell.notNull())
    }
}

extension UUID: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .uuid }
    public static var postgresArrayType: PostgresType { .uuidArray }

    public func encode(into bytes: inout [UInt8]) {
        withUnsafeBytes(of: uuid) { bytes.append(contentsOf: $0) }
    }

    public static func accepts(_ type: PostgresType) -> Bool {
        type == .uuid
    }

    public static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> UUID {
        let bytes = try cell.notNull()
        guard bytes.count == 16 else { throw .malformed }
        return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}
