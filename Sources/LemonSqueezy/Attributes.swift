package import Foundation

/// Why an object of a known type could not be read: the path of the attribute, never its value (it may be personal).
struct Undecodable: Error {
    let reason: String

    init(reason: String) { self.reason = reason }

    init(path: String, value: JSONValue?) {
        let isMissing = value == nil || value == .null
        reason = "\(path) is \(isMissing ? "missing" : "unreadable")"
    }
}

/// The attributes of an object, read leniently: fields come and go, and change type, without notice.
///
/// `required` throws when the attribute is missing or unreadable, `optional` when it is there and unreadable; the
/// functions named after a type alone answer nil in both cases. A time that is optional is nil when it is unreadable,
/// but throws when it lies after the year 2199 (R3).
struct Attributes {
    let value: JSONValue
    var path = "data.attributes"

    func required(identifier key: String) throws(Undecodable) -> String {
        try unwrap(value[key]?.identifier, key)
    }

    func required(word key: String) throws(Undecodable) -> String {
        try unwrap(value[key]?.word, key)
    }

    func required(date key: String) throws(Undecodable) -> Date {
        try unwrap(try optional(date: key), key)
    }

    func optional(word key: String) throws(Undecodable) -> String? {
        isMissing(key) ? nil : try required(word: key)
    }

    func optional(date key: String) throws(Undecodable) -> Date? {
        guard let date = date(key) else { return nil }
        guard date < Timestamp.end else { throw Undecodable(reason: "\(path).\(key) is after the year 2199") }
        return date
    }

    func identifier(_ key: String) -> String? { value[key]?.identifier }
    func word(_ key: String) -> String? { value[key]?.word }
    func date(_ key: String) -> Date? { value[key]?.date }
    func int(_ key: String) -> Int? { value[key]?.int }
    func bool(_ key: String) -> Bool? { value[key]?.bool }
    var email: String? { value["user_email"]?.text(atMost: 255) }

    private func isMissing(_ key: String) -> Bool { (value[key] ?? .null) == .null }

    private func unwrap<Value>(_ read: Value?, _ key: String) throws(Undecodable) -> Value {
        guard let read else { throw Undecodable(path: "\(path).\(key)", value: value[key]) }
        return read
    }
}

/// One JSON value read as the type that a field should have, whichever JSON type it came in.
extension JSONValue {
    /// An id as text: a string as it is, a number if it is an integer of 64 bits.
    package var identifier: String? { integer.map(String.init) ?? text(atMost: 100) }

    /// A word of a small vocabulary: a status, a mode, a currency.
    package var word: String? { text(atMost: 50) }

    /// A string that a database can keep: not empty, not longer than its column, without NUL (PostgreSQL has none).
    package func text(atMost limit: Int) -> String? {
        guard case .string(let text) = self, !text.isEmpty, text.utf8.count <= limit, !text.utf8.contains(0) else {
            return nil
        }
        return text
    }

    /// An amount: a number, or the digits of one in a string.
    package var int: Int? {
        if case .string(let text) = self { return Int(text) }
        return integer
    }

    /// A flag, also as 0 or 1, or as the text of either.
    package var bool: Bool? {
        switch self {
        case .bool(let flag): flag
        case .number("1"), .string("1"), .string("true"): true
        case .number("0"), .string("0"), .string("false"): false
        default: nil
        }
    }

    package var date: Date? {
        guard case .string(let text) = self else { return nil }
        return Timestamp.date(from: text)
    }

    private var integer: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text) ?? Int(DecimalText.canonical(text))
    }
}
