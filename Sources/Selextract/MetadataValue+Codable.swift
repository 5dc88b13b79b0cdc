public import Foundation

extension MetadataValue: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let flag = try? container.decode(Bool.self) {
            self = .bool(flag)
        } else if let number = Self.number(in: container) {
            self = number
        } else if let elements = try? container.decode([MetadataValue].self) {
            self = .array(elements)
        } else if let members = try? container.decode([String: MetadataValue].self) {
            self = .object(members)
        } else if decoder.userInfo[.isStoredJSON] as? Bool == true {
            // A number beyond a `Double`, which `jsonb` holds and we cannot: no reason not to read the row around it.
            self = .wide(.greatestFiniteMagnitude)
        } else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no JSON value that can be held")
        }
    }

    /// Exact if a `Decimal` can hold it: one that is too small for it would become zero.
    private static func number(in container: any SingleValueDecodingContainer) -> MetadataValue? {
        let double = try? container.decode(Double.self)
        if let decimal = try? container.decode(Decimal.self), !decimal.isNaN,
            !decimal.isZero || (double ?? 0) == 0
        {
            return .number(decimal)
        }
        return double.map(MetadataValue.wide)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let flag): try container.encode(flag)
        case .number(let number): try container.encode(number)
        case .wide(let number): try container.encode(number)
        case .string(let text): try container.encode(text)
        case .array(let elements): try container.encode(elements)
        case .object(let members): try container.encode(members)
        }
    }

    /// Reads a JSON text, UTF-8. Throws `DecodingError` if it is none.
    ///
    /// - Parameter isStored: whether it comes out of a database: see `isStoredJSON`.
    public init(json: Data, isStored: Bool = false) throws {
        let decoder = JSONDecoder()
        decoder.userInfo[.isStoredJSON] = isStored
        self = try decoder.decode(MetadataValue.self, from: json)
    }

    /// The JSON text, UTF-8, keys sorted. Throws `EncodingError` if a ``wide(_:)`` number is not finite.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

extension CodingUserInfoKey {
    /// `true`: the JSON comes out of a database, which has seen that it is JSON. Then a number that is too great for a
    /// `Double` is read as the greatest one, where otherwise it is refused.
    public static let isStoredJSON = CodingUserInfoKey(rawValue: "selextract.isStoredJSON")!
}
