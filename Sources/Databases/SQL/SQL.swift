/// SQL written as a string whose interpolations are bound, never spliced: `"… where id = \(id)"`. It is written once for
/// both databases, and each renders it in its own way; where they need other words, it holds both.
@usableFromInline
package struct SQL: Sendable, ExpressibleByStringInterpolation {
    @usableFromInline
    package enum Part: Sendable {
        case text(String)
        case value(SQLValue, SQLType)
        /// A condition: whether a column is, or is not, one of some values.
        case member(column: String, values: [SQLValue], type: SQLType, isNegated: Bool)
        /// A table of the rows in which a column is one of some values, found by its index whatever a planner believes.
        case lookup(
            table: String, column: String, values: [SQLValue], type: SQLType, condition: String, alias: String)
        /// Values as a table of one column, `value`.
        case values([SQLValue], SQLType)
        /// Rows as a table named `new`.
        case rows(RowSet)
        case either(postgreSQL: @Sendable () -> SQL, sqlite: @Sendable () -> SQL)
    }

    @usableFromInline
    package var parts: [Part]

    @usableFromInline
    package init(stringLiteral value: String) { parts = [.text(value)] }
    @usableFromInline
    package init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }
    /// Text of our own. Never anything that came from outside.
    @usableFromInline
    package init(raw text: String) { parts = [.text(text)] }
    @usableFromInline
    package init(postgreSQL: @escaping @Sendable () -> SQL, sqlite: @escaping @Sendable () -> SQL) {
        parts = [.either(postgreSQL: postgreSQL, sqlite: sqlite)]
    }

    @usableFromInline
    package static func + (left: SQL, right: SQL) -> SQL {
        var sum = left
        sum.parts += right.parts
        return sum
    }

    package static func += (left: inout SQL, right: SQL) { left.parts += right.parts }

    // Closures, not key paths: where the type is not known, a key path is put together each time.
    @usableFromInline
    package struct StringInterpolation: StringInterpolationProtocol {
        @usableFromInline
        package var parts: [Part] = []

        @usableFromInline
        package init(literalCapacity: Int, interpolationCount: Int) {
            parts.reserveCapacity(interpolationCount * 2 + 1)
        }

        @usableFromInline
        package mutating func appendLiteral(_ literal: String) {
            if !literal.isEmpty { parts.append(.text(literal)) }
        }

        @inlinable
        package mutating func appendInterpolation<Value: StoredValue>(_ value: Value) {
            parts.append(.value(value.sqlValue, Value.sqlType))
        }

        /// The same for an optional value, for the compiler takes an optional in a string for a mistake.
        @inlinable
        package mutating func appendInterpolation<Value: StoredValue>(_ value: Value?) {
            parts.append(.value(value.sqlValue, Value.sqlType))
        }

        /// SQL as a part of SQL.
        @usableFromInline
        package mutating func appendInterpolation(_ sql: SQL) { parts += sql.parts }

        /// Text of our own. Never anything that came from outside.
        @usableFromInline
        package mutating func appendInterpolation(raw text: String) { parts.append(.text(text)) }

        /// Whether a column is one of some values.
        @inlinable
        package mutating func appendInterpolation<Value: StoredValue>(_ column: String, in values: some Sequence<Value>)
        {
            parts.append(
                .member(column: column, values: values.map { $0.sqlValue }, type: Value.sqlType, isNegated: false))
        }

        /// Whether a column is none of some values.
        @inlinable
        package mutating func appendInterpolation<Value: StoredValue>(
            _ column: String, notIn values: some Sequence<Value>
        ) {
            parts.append(
                .member(column: column, values: values.map { $0.sqlValue }, type: Value.sqlType, isNegated: true))
        }

        /// The rows of a table in which an indexed column is one of some values, as a table with this alias. The values
        /// have to be different: each finds its rows by itself.
        ///
        /// - Parameter condition: a further one on the same table, such as that of a partial index.
        @inlinable
        package mutating func appendInterpolation<Value: StoredValue>(
            _ table: String, as alias: String, where column: String, in values: Set<Value>,
            and condition: String = "true"
        ) {
            parts.append(
                .lookup(
                    table: table, column: column, values: values.map { $0.sqlValue }, type: Value.sqlType,
                    condition: condition, alias: alias))
        }

        /// Rows as a table named `new`, with a further column `position`.
        @usableFromInline
        package mutating func appendInterpolation(_ rows: RowSet) { parts.append(.rows(rows)) }
    }
}

extension SQL {
    /// The database's clock, at the moment of the statement.
    package static let clock = SQL(postgreSQL: { "clock_timestamp()" }, sqlite: { SQL(raw: sqliteClock) })
    /// The same in SQLite's words.
    package static let sqliteClock = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

    /// Values as a table of one column, `value`.
    @inlinable
    package static func values<Value: StoredValue>(_ values: Set<Value>) -> SQL {
        var sql: SQL = ""
        sql.parts = [.values(values.map { $0.sqlValue }, Value.sqlType)]
        return sql
    }
}
