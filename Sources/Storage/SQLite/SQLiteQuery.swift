import Foundation
import GRDB

/// SQL written as a string whose interpolations are bound, never spliced: `"… where id = \(id)"`.
///
/// A collection is bound as one JSON array, for `json_each`: one statement, whatever their number.
struct SQLiteQuery: Sendable, ExpressibleByStringInterpolation {
    let sql: String
    let arguments: [DatabaseValue]

    init(stringLiteral value: String) {
        sql = value
        arguments = []
    }

    init(stringInterpolation: StringInterpolation) {
        sql = stringInterpolation.sql
        arguments = stringInterpolation.arguments
    }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sql = ""
        fileprivate var arguments: [DatabaseValue] = []

        init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + interpolationCount)
        }

        mutating func appendLiteral(_ literal: String) { sql += literal }

        mutating func appendInterpolation(_ value: (some SQLiteEncodable)?) {
            bind(value?.sqliteValue ?? .null)
        }

        /// The elements of a collection as a set of rows of one column, `value`.
        mutating func appendInterpolation(each values: some Collection<some SQLiteEncodable>) {
            sql += "(select value from json_each("
            bind(SQLiteQuery.array(values))
            sql += "))"
        }

        /// SQL of our own.
        mutating func appendInterpolation(unescaped sql: String) { self.sql += sql }

        private mutating func bind(_ value: DatabaseValue) {
            sql += "?"
            arguments.append(value)
        }
    }

    private static func array(_ values: some Collection<some SQLiteEncodable>) -> DatabaseValue {
        let texts = values.compactMap { String.fromDatabaseValue($0.sqliteValue) }
        // An array of strings can always be written as JSON.
        let json = (try? JSONEncoder().encode(texts)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
        return json.databaseValue
    }
}
