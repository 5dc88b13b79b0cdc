import Foundation
import Selextract

/// A value on its way to a database or from it, in the forms that both have between them: SQLite gives back as text what
/// PostgreSQL has a type for.
enum SQLValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    case text(String)
    case bytes([UInt8])
    case uuid(UUID)
    case moment(Date)
    case day(UsageDay)
    /// A JSON text.
    case json(String)
}

/// What a parameter is declared as, so that a database need not guess the type of a NULL or of an empty list.
enum SQLType: Sendable, Hashable {
    case bool, integer, text, bytes, uuid, moment, day, json
}

/// A Swift value that is kept in a column.
protocol StoredValue: Sendable {
    static var sqlType: SQLType { get }
    var sqlValue: SQLValue { get }
    /// nil: the column holds something else.
    init?(sqlValue: SQLValue)
}

extension Optional: StoredValue where Wrapped: StoredValue {
    static var sqlType: SQLType { Wrapped.sqlType }
    var sqlValue: SQLValue { self?.sqlValue ?? .null }

    init?(sqlValue: SQLValue) {
        if case .null = sqlValue {
            self = .none
        } else {
            guard let wrapped = Wrapped(sqlValue: sqlValue) else { return nil }
            self = wrapped
        }
    }
}

extension Bool: StoredValue {
    static var sqlType: SQLType { .bool }
    var sqlValue: SQLValue { .bool(self) }

    init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .bool(let flag): self = flag
        case .integer(let number): self = number != 0
        default: return nil
        }
    }
}

extension Int: StoredValue {
    static var sqlType: SQLType { .integer }
    var sqlValue: SQLValue { .integer(self) }

    init?(sqlValue: SQLValue) {
        guard case .integer(let number) = sqlValue else { return nil }
        self = number
    }

    /// At most what the column holds on PostgreSQL: SQLite's integers are wider, and what others write there must not
    /// overflow where it is reckoned with.
    var asColumn: Int { Int(Int32(clamping: self)) }
}

extension String: StoredValue {
    static var sqlType: SQLType { .text }
    var sqlValue: SQLValue { .text(self) }

    init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .text(let text), .json(let text): self = text
        default: return nil
        }
    }
}

extension [UInt8]: StoredValue {
    static var sqlType: SQLType { .bytes }
    var sqlValue: SQLValue { .bytes(self) }

    init?(sqlValue: SQLValue) {
        guard case .bytes(let bytes) = sqlValue else { return nil }
        self = bytes
    }
}

extension UUID: StoredValue {
    static var sqlType: SQLType { .uuid }
    var sqlValue: SQLValue { .uuid(self) }

    init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .uuid(let id): self = id
        case .text(let text): self.init(uuidString: text)
        default: return nil
        }
    }

    /// As people write it.
    package var text: String { uuidString.lowercased() }
}

extension Date: StoredValue {
    static var sqlType: SQLType { .moment }
    var sqlValue: SQLValue { .moment(self) }

    init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .moment(let date): self = date
        case .text(let text): self.init(sqliteText: text)
        default: return nil
        }
    }
}

extension UsageDay: StoredValue {
    static var sqlType: SQLType { .day }
    var sqlValue: SQLValue { .day(self) }

    init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .day(let day): self = day
        case .text(let text): self.init(text)
        default: return nil
        }
    }
}

extension MetadataValue: StoredValue {
    static var sqlType: SQLType { .json }

    /// Whoever writes one has seen that it can be written: a number that is not finite cannot.
    var sqlValue: SQLValue { (try? json()).map { .json(String(decoding: $0, as: UTF8.self)) } ?? .null }

    init?(sqlValue: SQLValue) {
        guard let text = String(sqlValue: sqlValue) else { return nil }
        // SQLite takes for JSON what Foundation does not, as half a surrogate pair: then it is a text.
        self = (try? MetadataValue(json: Data(text.utf8), isStored: true)) ?? .string(text)
    }
}

/// Values with a text behind them are kept as that text; one that is not known cannot be read.
extension RawRepresentable where Self: StoredValue, RawValue == String {
    static var sqlType: SQLType { .text }
    var sqlValue: SQLValue { .text(rawValue) }

    init?(sqlValue: SQLValue) {
        guard case .text(let text) = sqlValue else { return nil }
        self.init(rawValue: text)
    }
}

extension ScrapingTask.Status: StoredValue {}
extension TaskLog.Level: StoredValue {}
extension UserSubscription.Source: StoredValue {}
