public import Foundation
import GRDB
import LemonSqueezy
import Selextract

/// A statement as SQLite has it: its text, and the values of each time it is run. A list is one JSON array. Rows are run one
/// after the other: there is no way to a server to be saved here, and bytes do not fit into JSON.
struct SQLiteStatement {
    private(set) var text = ""
    private var arguments: [Argument] = []
    private var rows: RowSet?

    private enum Argument {
        case value(DatabaseValue)
        /// Those of a row.
        case row
    }

    init(_ sql: SQL) {
        append(sql)
    }

    /// One for each time it is to be run.
    var sets: [[DatabaseValue]] {
        guard let rows else { return [set(nil, position: 1)] }
        return rows.rows.enumerated().map { set($0.element, position: $0.offset + 1) }
    }

    private func set(_ row: [SQLValue]?, position: Int) -> [DatabaseValue] {
        var values: [DatabaseValue] = []
        for argument in arguments {
            switch argument {
            case .value(let value): values.append(value)
            case .row:
                values += (row ?? []).map(\.sqliteValue)
                values.append(position.databaseValue)
            }
        }
        return values
    }

    private mutating func append(_ sql: SQL) {
        for part in sql.parts {
            switch part {
            case .text(let literal): text += literal
            case .value(let value, _): bind(value.sqliteValue)
            case .member(let column, let values, _, let isNegated):
                text += isNegated ? "\(column) not in " : "\(column) in "
                list(values)
            case .lookup(let table, let column, let values, _, let condition, let alias):
                text += "(select * from \(table) where \(column) in "
                list(values)
                text += " and \(condition)) as \(alias)"
            case .values(let values, _): list(values)
            case .rows(let set):
                rows = set
                text +=
                    "(select \(set.columns.map { "? as \($0.name)" }.joined(separator: ", ")), ? as position) as new"
                arguments.append(.row)
            case .either(_, let sqlite): append(sqlite())
            }
        }
    }

    private mutating func bind(_ value: DatabaseValue) {
        text += "?"
        arguments.append(.value(value))
    }

    private mutating func list(_ values: [SQLValue]) {
        text += "(select value from json_each("
        // Numbers as numbers: compared with a column of numbers, a text finds nothing.
        let items = values.compactMap { value -> String? in
            switch value.sqliteValue.storage {
            case .int64(let number): String(number)
            case .string(let text): (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) }
            case .null, .double, .blob: nil
            }
        }
        bind("[\(items.joined(separator: ","))]".databaseValue)
        text += "))"
    }
}

extension SQLValue {
    /// In the form the schema keeps it in: UUIDs in lower case, moments as ISO 8601 in UTC with milliseconds.
    fileprivate var sqliteValue: DatabaseValue {
        switch self {
        case .null: .null
        case .bool(let flag): flag.databaseValue
        case .integer(let number): number.databaseValue
        case .text(let text), .json(let text): text.databaseValue
        case .bytes(let bytes): Data(bytes).databaseValue
        case .uuid(let id): id.uuidString.lowercased().databaseValue
        case .moment(let date): date.sqliteText.databaseValue
        case .day(let day): day.description.databaseValue
        }
    }
}

extension Date {
    /// `2026-10-12T09:30:04.000Z`.
    fileprivate var sqliteText: String {
        let milliseconds = (timeIntervalSince1970 * 1000).rounded()
        let seconds = (milliseconds / 1000).rounded(.down)
        let fraction = Int(milliseconds - seconds * 1000)
        guard let text = Timestamp.text(from: Date(timeIntervalSince1970: seconds)) else {
            return formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
        }
        return text.prefix(20) + "\(1000 + fraction)".suffix(3) + "Z"
    }

    /// Also as other programs write it: with a space for `T`, more digits or fewer, without seconds, with an offset, or
    /// with none for UTC.
    @usableFromInline
    init?(sqliteText: String) {
        var text = sqliteText
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

/// A row of a result.
struct SQLiteStoredRow: StoredRow {
    let values: [DatabaseValue]
    let columns: [String]

    func value(at place: Int) throws -> SQLValue {
        switch values[place].storage {
        case .null: .null
        case .int64(let number): .integer(Int(number))
        case .string(let text): .text(text)
        case .blob(let data): .bytes(Array(data))
        case .double: throw StoreError.failed("column \(columns[place]) holds a fraction")
        }
    }
}
