public import Foundation

/// A Swift value that is kept in a column.
@usableFromInline
package protocol StoredValue: Sendable {
    static var sqlType: SQLType { get }
    var sqlValue: SQLValue { get }
    /// nil: the column holds something else.
    init?(sqlValue: SQLValue)
}

extension Optional: StoredValue where Wrapped: StoredValue {
    @inlinable package static var sqlType: SQLType { Wrapped.sqlType }
    @inlinable package var sqlValue: SQLValue { self?.sqlValue ?? .null }

    @inlinable
    package init?(sqlValue: SQLValue) {
        if case .null = sqlValue {
            self = .none
        } else {
            guard let wrapped = Wrapped(sqlValue: sqlValue) else { return nil }
            self = wrapped
        }
    }
}

extension Bool: StoredValue {
    @inlinable package static var sqlType: SQLType { .bool }
    @inlinable package var sqlValue: SQLValue { .bool(self) }

    @inlinable
    package init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .bool(let flag): self = flag
        case .integer(let number): self = number != 0
        default: return nil
        }
    }
}

extension Int: StoredValue {
    @inlinable package static var sqlType: SQLType { .integer }
    @inlinable package var sqlValue: SQLValue { .integer(self) }

    @inlinable
    package init?(sqlValue: SQLValue) {
        guard case .integer(let number) = sqlValue else { return nil }
        self = number
    }

    /// At most what the column holds on PostgreSQL: SQLite's integers are wider, and what others write there must not
    /// overflow where it is reckoned with.
    package var asColumn: Int { Int(Int32(clamping: self)) }
}

extension String: StoredValue {
    @inlinable package static var sqlType: SQLType { .text }
    @inlinable package var sqlValue: SQLValue { .text(self) }

    @inlinable
    package init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .text(let text), .json(let text): self = text
        default: return nil
        }
    }
}

extension [UInt8]: StoredValue {
    @inlinable package static var sqlType: SQLType { .bytes }
    @inlinable package var sqlValue: SQLValue { .bytes(self) }

    @inlinable
    package init?(sqlValue: SQLValue) {
        guard case .bytes(let bytes) = sqlValue else { return nil }
        self = bytes
    }
}

extension UUID: StoredValue {
    @inlinable package static var sqlType: SQLType { .uuid }
    @inlinable package var sqlValue: SQLValue { .uuid(self) }

    @inlinable
    package init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .uuid(let id): self = id
        case .text(let text): self.init(uuidString: text)
        default: return nil
        }
    }
}

extension Date: StoredValue {
    @inlinable package static var sqlType: SQLType { .moment }
    @inlinable package var sqlValue: SQLValue { .moment(self) }

    @inlinable
    package init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .moment(let date): self = date
        case .text(let text): self.init(sqliteText: text)
        default: return nil
        }
    }
}

/// Values with a text behind them are kept as that text; one that is not known cannot be read.
extension RawRepresentable where Self: StoredValue, RawValue == String {
    @inlinable package static var sqlType: SQLType { .text }
    @inlinable package var sqlValue: SQLValue { .text(rawValue) }

    @inlinable
    package init?(sqlValue: SQLValue) {
        guard case .text(let text) = sqlValue else { return nil }
        self.init(rawValue: text)
    }
}
