import GRDB

/// The one connection that writes, while it belongs to a transaction.
struct SQLiteWriter: Session {
    let database: any DatabaseWriter
    let observe: (@Sendable (_ sql: String, _ duration: Duration, _ error: String?) -> Void)?
    /// How long a visit may take; then it fails with `StoreError.tooSlow`.
    var limit: Duration?

    /// Runs `body` on the connection's queue. A statement under way is not interrupted when the task is cancelled: it is
    /// short, and the end of a transaction must not be lost.
    func visit<Result: Sendable>(
        _ body: @escaping @Sendable (SQLiteConnection) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            database.asyncWriteWithoutTransaction { [observe, limit] database in
                continuation.resume(
                    with: Swift.Result {
                        let connection = SQLiteConnection(database: database, observe: observe)
                        return try connection.within(limit) { try body(connection) }
                    })
            }
        }
    }

    /// Runs `body` as a part of the transaction.
    func transact<Result: Sendable>(
        _ body: @escaping @Sendable (SQLiteConnection) throws -> Result
    ) async throws -> Result {
        try Task.checkCancellation()
        return try await visit { connection in
            // A full disk or a failed read has ended it: nothing may be written outside of it.
            guard connection.database.isInsideTransaction else {
                throw StoreError.unavailable("the transaction was rolled back")
            }
            return try body(connection)
        }
    }

    func run(_ statements: [SQL]) async throws -> [[any StoredRow]] {
        try await transact { connection in
            do {
                return try statements.map { try connection.run($0) }
            } catch let error as DatabaseError {
                guard let kind = error.violation else { throw error }
                throw ConstraintViolation(
                    kind: kind, name: error.message ?? "", description: StoreError(error).description)
            }
        }
    }

    /// There is no way to a server to be saved.
    func enqueue(_ statements: [SQL]) async throws { _ = try await run(statements) }
}
