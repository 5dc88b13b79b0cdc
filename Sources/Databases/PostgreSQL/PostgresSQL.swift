import Foundation
import Postgres
import Selextract

extension PostgresQuery {
    /// The statement as PostgreSQL has it: values as parameters, lists and rows as one array a column, whatever their number.
    init(_ sql: SQL) {
        self.init(unescaped: "")
        append(sql)
    }

    private mutating func append(_ sql: SQL) {
        for part in sql.parts {
            switch part {
            case .text(let text): append(unescaped: text)
            case .value(let value, let type):
                bind(type.postgresType, isNull: value.isNull) { value.encode(into: &$0) }
            case .member(let column, let values, let type, let isNegated):
                append(unescaped: isNegated ? "\(column) <> all(" : "\(column) = any(")
                bind(values, type)
                append(unescaped: ")")
            case .lookup(let table, let column, let values, let type, let condition, let alias):
                append(unescaped: "unnest(")
                bind(values, type)
                // With `offset 0` the inner query is planned by itself, once a key: no statistics can lead it astray.
                append(
                    unescaped: """
                        ) as \(alias)_key (value) cross join lateral (
                            select * from \(table) where \(column) = \(alias)_key.value and \(condition) offset 0
                        ) as \(alias)
                        """)
            case .values(let values, let type):
                append(unescaped: "(select unnest(")
                bind(values, type)
                append(unescaped: ") as value)")
            case .rows(let set): append(set)
            case .either(let postgreSQL, _): append(postgreSQL())
            }
        }
    }

    private mutating func append(_ set: RowSet) {
        append(unescaped: "unnest(")
        for (place, column) in set.columns.enumerated() {
            if place > 0 { append(unescaped: ", ") }
            bind(
                arrayOf: column.type.postgresType, count: set.rows.count, isNull: { set.rows[$0][place].isNull },
                encode: { set.rows[$0][place].encode(into: &$1) })
        }
        append(
            unescaped: ") with ordinality as new (\(set.columns.map(\.name).joined(separator: ", ")), position)")
    }

    private mutating func bind(_ values: [SQLValue], _ type: SQLType) {
        bind(
            arrayOf: type.postgresType, count: values.count, isNull: { values[$0].isNull },
            encode: { values[$0].encode(into: &$1) })
    }
}

extension SQLType {
    fileprivate var postgresType: PostgresType {
        switch self {
        case .bool: .bool
        case .integer: .int8
        case .text: .text
        case .bytes: .bytea
        case .uuid: .uuid
        case .moment: .timestamptz
        case .day: .date
        case .json: .jsonb
        }
    }
}

extension SQLValue {
    fileprivate var isNull: Bool { if case .null = self { true } else { false } }

    /// Of a value that is not NULL.
    fileprivate func encode(into bytes: inout [UInt8]) {
        switch self {
        case .null: break
        case .bool(let flag): flag.encode(into: &bytes)
        case .integer(let number): number.encode(into: &bytes)
        case .text(let text): text.encode(into: &bytes)
        case .bytes(let content): bytes.append(contentsOf: content)
        case .uuid(let id): id.encode(into: &bytes)
        case .moment(let date): date.encode(into: &bytes)
        case .day(let day): Int32(clamping: day.daysSince1970 - UsageDay.epoch.daysSince1970).encode(into: &bytes)
        case .json(let text): PostgresJSON(text: text).encode(into: &bytes)
        }
    }

    /// - Throws: `PostgresDecodingError.Reason`.
    fileprivate init(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) {
        guard cell.bytes != nil else {
            self = .null
            return
        }
        switch cell.type {
        // Most columns are, so this comes first.
        case .text: self = .text(try String.decode(cell))
        case .bool: self = .bool(try Bool.decode(cell))
        case .int2, .int4, .int8: self = .integer(try Int.decode(cell))
        case .bytea: self = .bytes(Array(try cell.notNull()))
        case .uuid: self = .uuid(try UUID.decode(cell))
        case .timestamptz: self = .moment(try Date.decode(cell))
        case .date: self = .day(UsageDay.epoch.adding(days: Int(try cell.integer(Int32.self))))
        case .json, .jsonb: self = .json(try String.decode(cell))
        default:
            guard String.accepts(cell.type) else { throw .typeMismatch }
            self = .text(try String.decode(cell))
        }
    }
}

extension UsageDay {
    /// The day from which PostgreSQL counts: 1 January 2000.
    fileprivate static let epoch = UsageDay(containing: Date(timeIntervalSince1970: 946_684_800))
}

/// A row of a result.
struct PostgresStoredRow: StoredRow {
    let row: PostgresRow

    var columns: [String] { row.columns }

    func value(at place: Int) throws -> SQLValue {
        // The cell points into the result, which the row keeps alive.
        defer { withExtendedLifetime(row) {} }
        do {
            return try SQLValue(row.unsafeCell(place))
        } catch {
            throw StoreError.failed("column \(row.columns[place]) cannot be read: \(error)")
        }
    }
}
