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
