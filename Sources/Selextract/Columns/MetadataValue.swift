public import Foundation

/// A JSON value as a `jsonb` column holds it: a log's metadata, a task's configuration.
public enum MetadataValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// Exact up to 38 significant digits.
    case number(Decimal)
    /// A number that a `Decimal` cannot hold, as `1e300`: the nearest that a `Double` can; of one that is beyond that, too,
    /// the greatest there is.
    case wide(Double)
    case string(String)
    case array([MetadataValue])
    case object([String: MetadataValue])

    /// A machine number by its shortest decimal text, so that 0.1 stays 0.1; nil for infinities and NaN.
    public init?(_ number: Double) {
        guard number.isFinite else { return nil }
        let exact = Decimal(string: "\(number)").flatMap { $0.isNaN || ($0.isZero && number != 0) ? nil : $0 }
        self = exact.map(MetadataValue.number) ?? .wide(number)
    }

    /// The value of a key; nil if there is none, or if this is no object.
    public subscript(key: String) -> MetadataValue? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    /// The text, if it is one.
    public var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The number, if it is a whole one that fits.
    public var integer: Int? {
        guard case .number(let number) = self, let integer = Int("\(number)") else { return nil }
        return integer
    }

    /// Whether all of another value is in this one, as PostgreSQL's `@>` has it: of an object each member, of a list each
    /// element, in whatever place.
    public func contains(_ other: MetadataValue) -> Bool {
        switch (self, other) {
        case (.object(let own), .object(let others)):
            others.allSatisfy { key, value in own[key]?.contains(value) ?? false }
        case (.array(let own), .array(let others)):
            others.allSatisfy { value in own.contains { $0.contains(value) } }
        default: self == other
        }
    }

    /// The same without the character U+0000, which PostgreSQL can hold neither in text nor in `jsonb`: U+FFFD stands in
    /// its place.
    public var withoutNUL: MetadataValue {
        switch self {
        case .null, .bool, .number, .wide: self
        case .string(let text): .string(text.withoutNUL)
        case .array(let elements): .array(elements.map(\.withoutNUL))
        case .object(let members):
            .object(
                Dictionary(members.map { ($0.key.withoutNUL, $0.value.withoutNUL) }, uniquingKeysWith: { $1 }))
        }
    }
}

extension String {
    /// The same with U+FFFD in place of each U+0000.
    var withoutNUL: String {
        utf8.contains(0) ? String(String.UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 })) : self
    }
}

extension MetadataValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .number(Decimal(value)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: MetadataValue...) { self = .array(elements) }
    /// Of several values for a key, the last one counts.
    public init(dictionaryLiteral elements: (String, MetadataValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
}

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
            // `jsonb` holds numbers beyond a `Double`. One of them must not make the whole row unreadable.
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

    /// Reads a JSON text, UTF-8.
    ///
    /// - Parameters:
    ///   - json: one document.
    ///   - isStored: whether it comes out of a database: see `isStoredJSON`.
    /// - Throws: `DecodingError` if it is no JSON.
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
    // The initialiser never fails, although its type says it may.
    // swift-format-ignore: NeverForceUnwrap
    /// `true`: the JSON comes out of a database, which has checked it. Then a number that is too great for a `Double` is
    /// read as the greatest `Double`; otherwise it is refused.
    public static let isStoredJSON = CodingUserInfoKey(rawValue: "selextract.isStoredJSON")!
}
