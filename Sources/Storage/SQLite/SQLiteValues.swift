import Billing
import Foundation
import GRDB
import LemonSqueezy
import Selextract

/// A value that can be bound, in the form the schema keeps it in.
protocol SQLiteEncodable: Sendable {
    var sqliteValue: DatabaseValue { get }
}

/// A value that can be read from a column.
protocol SQLiteDecodable: Sendable {
    /// nil: the column holds something else.
    init?(sqliteValue: DatabaseValue)
}

typealias SQLiteValue = SQLiteEncodable & SQLiteDecodable

extension Optional: SQLiteEncodable where Wrapped: SQLiteEncodable {
    var sqliteValue: DatabaseValue { self?.sqliteValue ?? .null }
}

extension Optional: SQLiteDecodable where Wrapped: SQLiteDecodable {
    init?(sqliteValue: DatabaseValue) {
        if sqliteValue.isNull {
            self = .none
        } else {
            guard let wrapped = Wrapped(sqliteValue: sqliteValue) else { return nil }
            self = wrapped
        }
    }
}

extension String: SQLiteValue {
    var sqliteValue: DatabaseValue { databaseValue }
    init?(sqliteValue: DatabaseValue) {
        guard case .string(let text) = sqliteValue.storage else { return nil }
        self = text
    }
}

extension Int: SQLiteValue {
    var sqliteValue: DatabaseValue { databaseValue }
    init?(sqliteValue: DatabaseValue) {
        guard case .int64(let number) = sqliteValue.storage else { return nil }
        self.init(exactly: number)
    }
}

extension Int {
    /// At most what the column holds on PostgreSQL: SQLite's integers are wider, and what others write there must not
    /// overflow where it is reckoned with.
    var asColumn: Int { Int(Int32(clamping: self)) }
}

extension Bool: SQLiteValue {
    var sqliteValue: DatabaseValue { databaseValue }
    init?(sqliteValue: DatabaseValue) {
        guard case .int64(let number) = sqliteValue.storage else { return nil }
        self = number != 0
    }
}

/// Bytes.
extension Data: SQLiteValue {
    var sqliteValue: DatabaseValue { databaseValue }
    init?(sqliteValue: DatabaseValue) {
        guard case .blob(let bytes) = sqliteValue.storage else { return nil }
        self = bytes
    }
}

/// Lower-case text.
extension UUID: SQLiteValue {
    var sqliteValue: DatabaseValue { uuidString.lowercased().databaseValue }
    init?(sqliteValue: DatabaseValue) {
        guard case .string(let text) = sqliteValue.storage else { return nil }
        self.init(uuidString: text)
    }
}

/// ISO-8601 UTC text with milliseconds, `2026-10-12T09:30:04.000Z`.
extension Date: SQLiteValue {
    var sqliteValue: DatabaseValue {
        let milliseconds = (timeIntervalSince1970 * 1000).rounded()
        let seconds = (milliseconds / 1000).rounded(.down)
        let fraction = Int(milliseconds - seconds * 1000)
        guard let text = Timestamp.text(from: Date(timeIntervalSince1970: seconds)) else {
            return formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)).databaseValue
        }
        return (text.prefix(20) + "\(1000 + fraction)".suffix(3) + "Z").databaseValue
    }

    /// Also as other programs write it: with a space for `T`, more digits or fewer, without seconds, with an offset, or
    /// with none for UTC.
    init?(sqliteValue: DatabaseValue) {
        guard case .string(var text) = sqliteValue.storage else { return nil }
        let seconds = text.utf8.dropFirst(16)
        if text.utf8.count >= 16, seconds.first != UInt8(ascii: ":") {
            text = String(text.prefix(16)) + ":00" + text.dropFirst(16)
        }
        if let date = ISOTime.date(from: text) ?? ISOTime.date(from: text + "Z") ?? ISOTime.date(from: text + ":00") {
            self = date
        } else if let day = UsageDay(text) {
            self = day.start
        } else {
            return nil
        }
    }
}

extension RawRepresentable where Self: Sendable, RawValue == String {
    var sqliteValue: DatabaseValue { rawValue.databaseValue }
    init?(sqliteValue: DatabaseValue) {
        guard let text = String(sqliteValue: sqliteValue) else { return nil }
        self.init(rawValue: text)
    }
}

// Values with a text behind them are bound and read as that text.

extension Outcome: SQLiteValue {}
extension InboxEvent.Kind: SQLiteValue {}
extension SecretMatch: SQLiteValue {}
extension EventName: SQLiteValue {}
extension SubscriptionStatus: SQLiteValue {}
extension Line: SQLiteValue {}
extension LedgerEntry.Kind: SQLiteValue {}
extension OperatorRecord.Kind: SQLiteValue {}
extension Acceptance.Mode: SQLiteValue {}
extension UserSubscription.Source: SQLiteValue {}
extension UpgradeUnits: SQLiteValue {}
extension DowngradeUnits: SQLiteValue {}
extension RefundUnits: SQLiteValue {}
