import Foundation

/// SQL written as a string whose interpolations are bound, never spliced: `"… where id = \(id)"`. It is written once for
/// both databases, and each renders it in its own way; where they need other words, it holds both.
struct SQL: Sendable, ExpressibleByStringInterpolation {
    enum Part: Sendable {
        case text(String)
        case value(SQLValue, SQLType)
        /// A condition: whether a column is, or is not, one of some values.
        case member(column: String, values: [SQLValue], type: SQLType, isNegated: Bool)
        /// A table of the rows in which a column is one of some values, found by its index whatever a planner believes.
        case lookup(table: String, column: String, values: [SQLValue], type: SQLType, alias: String)
        /// Values as a table of one column, `value`.
        case values([SQLValue], SQLType)
        /// Rows as a table named `new`.
        case rows(RowSet)
        case either(postgreSQL: @Sendable () -> SQL, sqlite: @Sendable () -> SQL)
    }

    var parts: [Part]

    init(stringLiteral value: String) { parts = [.text(value)] }
    init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }
    /// Text of our own. Never anything that came from outside.
    init(raw text: String) { parts = [.text(text)] }
    init(postgreSQL: @escaping @Sendable () -> SQL, sqlite: @escaping @Sendable () -> SQL) {
        parts = [.either(postgreSQL: postgreSQL, sqlite: sqlite)]
    }

    static func + (left: SQL, right: SQL) -> SQL {
        var sum = left
        sum.parts += right.parts
        return sum
    }

    static func += (left: inout SQL, right: SQL) { left.parts += right.parts }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var parts: [Part] = []

        init(literalCapacity: Int, interpolationCount: Int) {
            parts.reserveCapacity(interpolationCount * 2 + 1)
        }

        mutating func appendLiteral(_ literal: String) {
            if !literal.isEmpty { parts.append(.text(literal)) }
        }

        mutating func appendInterpolation<Value: StoredValue>(_ value: Value) {
            parts.append(.value(value.sqlValue, Value.sqlType))
        }

        /// The same for an optional value, for the compiler takes an optional in a string for a mistake.
        mutating func appendInterpolation<Value: StoredValue>(_ value: Value?) {
            parts.append(.value(value.sqlValue, Value.sqlType))
        }

        /// SQL as a part of SQL.
        mutating func appendInterpolation(_ sql: SQL) { parts += sql.parts }

        /// Text of our own. Never anything that came from outside.
        mutating func appendInterpolation(raw text: String) { parts.append(.text(text)) }

        /// Whether a column is one of some values.
        mutating func appendInterpolation<Value: StoredValue>(_ column: String, in values: some Sequence<Value>) {
            parts.append(
                .member(column: column, values: values.map(\.sqlValue), type: Value.sqlType, isNegated: false))
        }

        /// Whether a column is none of some values.
        mutating func appendInterpolation<Value: StoredValue>(_ column: String, notIn values: some Sequence<Value>) {
            parts.append(.member(column: column, values: values.map(\.sqlValue), type: Value.sqlType, isNegated: true))
        }

        /// The rows of a table in which an indexed column is one of some values, as a table with this alias. The values
        /// have to be different: each finds its rows by itself.
        mutating func appendInterpolation<Value: StoredValue>(
            _ table: String, as alias: String, where column: String, in values: Set<Value>
        ) {
            parts.append(
                .lookup(
                    table: table, column: column, values: values.map(\.sqlValue), type: Value.sqlType, alias: alias))
        }

        /// Rows as a table named `new`, with a further column `position`.
        mutating func appendInterpolation(_ rows: RowSet) { parts.append(.rows(rows)) }
    }
}

extension SQL {
    /// The database's clock, at the moment of the statement.
    static let clock = SQL(postgreSQL: { "clock_timestamp()" }, sqlite: { SQL(raw: SQLiteDialect.clock) })

    /// Values as a table of one column, `value`.
    static func values<Value: StoredValue>(_ values: Set<Value>) -> SQL {
        var sql: SQL = ""
        sql.parts = [.values(values.map(\.sqlValue), Value.sqlType)]
        return sql
    }

    /// Whether a row comes behind a page's last one, newest first; nil: there is no page before. The moment is that of
    /// the row itself as long as it is there: a `Date` may not hold all of it.
    static func behind(
        _ cursor: Cursor?, in table: String, alias: String? = nil, by column: String = "created_at"
    ) -> SQL {
        guard let cursor else { return "true" }
        let alias = alias ?? table
        return """
            (\(raw: alias).\(raw: column), \(raw: alias).id) < (
                coalesce((select \(raw: column) from \(raw: table) where id = \(cursor.id)), \(cursor.at)), \(cursor.id)
            )
            """
    }

    /// Whether a row is an account's; nil: whoever's it is.
    static func ownedBy(_ user: UUID?) -> SQL {
        user.map { "user_id = \($0)" } ?? "true"
    }
}

/// A statement whose rows are read as something.
struct Query<Result>: Sendable {
    var sql: SQL
    var read: @Sendable (inout RowReader) throws -> Result

    init(_ sql: SQL, _ read: @escaping @Sendable (inout RowReader) throws -> Result) {
        self.sql = sql
        self.read = read
    }

    func read(_ stored: any StoredRow) throws -> Result {
        var row = RowReader(stored)
        return try read(&row)
    }
}

extension Query where Result: StoredValue {
    /// The only column of each row.
    init(_ sql: SQL, column type: Result.Type = Result.self) {
        self.init(sql) { row in try row.next() }
    }
}

extension Query where Result == Void {
    /// A statement for what it does.
    init(_ sql: SQL) { self.init(sql) { _ in } }
}
