import Foundation

// The Codable code that the compiler writes for the rows of this module picks these over the generic functions, so that
// rows read the same with any encoder: moments as ISO 8601 text, UUIDs in lower case, as the tables show them.

extension KeyedEncodingContainer {
    mutating func encode(_ value: Date, forKey key: Key) throws {
        try encode(ISOTime.text(from: value), forKey: key)
    }

    mutating func encodeIfPresent(_ value: Date?, forKey key: Key) throws {
        try encodeIfPresent(value.map(ISOTime.text(from:)), forKey: key)
    }

    mutating func encode(_ value: UUID, forKey key: Key) throws {
        try encode(value.uuidString.lowercased(), forKey: key)
    }
}

extension KeyedDecodingContainer {
    func decode(_ type: Date.Type, forKey key: Key) throws -> Date {
        let text = try decode(String.self, forKey: key)
        guard let date = ISOTime.date(from: text) else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "“\(text)” is no ISO 8601 moment such as 2026-10-12T09:30:04Z")
        }
        return date
    }

    func decodeIfPresent(_ type: Date.Type, forKey key: Key) throws -> Date? {
        guard contains(key), try !decodeNil(forKey: key) else { return nil }
        return try decode(type, forKey: key)
    }
}
