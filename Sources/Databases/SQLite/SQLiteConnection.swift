import Foundation
import GRDB
import GRDBSQLite

/// A connection while it is lent, on its own queue. Statements are prepared once and kept.
package struct SQLiteConnection {
    let database: Database
    let observe: (@Sendable (_ sql: String, _ duration: Duration, _ error: String?) -> Void)?

    /// Lends itself for so long; then the statement that runs is stopped.
    ///
    /// - Throws: `StoreError.tooSlow`.
    func within<Result>(_ limit: Duration?, _ body: () throws -> Result) throws -> Result {
        guard let limit else { return try body() }
        var end = ContinuousClock.now + limit
        return try withUnsafeMutablePointer(to: &end) { end in
            // Asked every so many steps of SQLite's own machine, which is often enough and costs nothing.
            sqlite3_progress_handler(
                database.sqliteConnection, 10_000,
                { end in
                    guard let end else { return 0 }
                    return end.load(as: ContinuousClock.Instant.self) < .now ? 1 : 0
                }, end)
            defer { sqlite3_progress_handler(database.sqliteConnection, 0, nil, nil) }
            do {
                return try body()
            } catch let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT && end.pointee < .now {
                throw StoreError.tooSlow(error.text)
            }
        }
    }

    /// Runs a statement, as often as it has rows.
    @discardableResult
    package func run(_ sql: SQL) throws -> [any StoredRow] { try rows(sql) }

    private func rows(_ sql: SQL) throws -> [SQLiteStoredRow] {
        let form = SQLiteStatement(sql)
        return try observed(form.text) {
            let statement = try database.cachedStatement(sql: form.text)
            return try form.sets.flatMap { try rows(statement, $0) }
        }
    }

    /// Several statements without values.
    ///
    /// - Throws: ``StoreError``, but not `.schema`: what they name and is not there is not for want of a migration.
    package func run(script: String) throws {
        do {
            try observed(script) { try database.execute(sql: script) }
        } catch let error as DatabaseError {
            let refusal = StoreError(error)
            if case .schema = refusal { throw StoreError.failed(error.text) }
            throw refusal
        }
    }

    /// The rows of a statement whose columns are nothing but texts.
    package func texts(_ sql: String) throws -> [[String?]] {
        try rows(SQL(raw: sql)).map { $0.values.map(String.fromDatabaseValue) }
    }

    private func rows(_ statement: Statement, _ arguments: [DatabaseValue]) throws -> [SQLiteStoredRow] {
        let arguments = StatementArguments(arguments)
        guard statement.columnCount > 0 else {
            try statement.execute(arguments: arguments)
            return []
        }
        let columns = statement.columnNames
        var rows: [SQLiteStoredRow] = []
        let cursor = try Row.fetchCursor(statement, arguments: arguments)
        while let row = try cursor.next() {
            rows.append(SQLiteStoredRow(values: Array(row.databaseValues), columns: columns))
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

    /// The rows of a query, read as it says.
    package func fetch<Result>(_ query: Query<Result>) throws -> [Result] {
        try rows(query.sql).map { try query.read($0) }
    }
}
