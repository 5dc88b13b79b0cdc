import Foundation
import GRDB

/// A connection while it is lent, on its own queue. Statements are prepared once and kept.
struct SQLiteConnection {
    let database: Database
    let observe: (@Sendable (_ sql: String, _ duration: Duration, _ error: String?) -> Void)?

    @discardableResult
    func query(_ query: SQLiteQuery) throws -> [SQLiteRow] {
        try observed(query.sql) {
            let statement = try database.cachedStatement(sql: query.sql)
            return try rows(statement, query.arguments)
        }
    }

    /// Runs one statement for each of a set's rows. There is no way to the server to be saved here: a statement that is
    /// prepared once is the fastest form a set can have, and the only one for bytes, which JSON cannot hold.
    @discardableResult
    func query(_ sql: String, forEach sets: [[DatabaseValue]]) throws -> [SQLiteRow] {
        try observed(sql) {
            let statement = try database.cachedStatement(sql: sql)
            return try sets.flatMap { try rows(statement, $0) }
        }
    }

    /// Several statements without values.
    func run(_ script: String) throws {
        try observed(script) { try database.execute(sql: script) }
    }

    private func rows(_ statement: Statement, _ arguments: [DatabaseValue]) throws -> [SQLiteRow] {
        let arguments = StatementArguments(arguments)
        guard statement.columnCount > 0 else {
            try statement.execute(arguments: arguments)
            return []
        }
        let columns = statement.columnNames
        var rows: [SQLiteRow] = []
        let cursor = try Row.fetchCursor(statement, arguments: arguments)
        while let row = try cursor.next() {
            rows.append(SQLiteRow(values: Array(row.databaseValues), columns: columns))
        }
        return rows
    }

    private func observed<Result>(_ sql: String, _ body: () throws -> Result) throws -> Result {
        guard let observe else { return try body() }
        let start = ContinuousClock.now
        do {
            let result = try body()
            observe(sql, .now - start, nil)
            return result
        } catch {
            observe(sql, .now - start, (error as? DatabaseError).map { StoreError($0).description } ?? "failed")
            throw error
        }
    }
}
