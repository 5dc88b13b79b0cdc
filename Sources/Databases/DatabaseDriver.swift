public import Foundation

/// One of the two databases, whatever is kept in it.
@usableFromInline
package protocol DatabaseDriver: Sendable {
    /// Takes the place of the database's clock in tests.
    var clock: (@Sendable () -> Date)? { get }
    /// Lends a transaction; commits when `body` returns, rolls back when it throws, and may run it again after a collision.
    func transaction<Result: Sendable>(
        _ limits: TransactionLimits, _ body: @Sendable (any Session) async throws -> Result
    ) async throws -> Result
    /// Runs statements that read, outside of a transaction, and gives the rows of each.
    func read(_ statements: [SQL]) async throws -> [[any StoredRow]]
    /// The connections to the server at this moment; nil: there are none, as on SQLite.
    var pool: DatabaseHealth.Pool? { get }
    /// Waits for what is under way. Afterwards the driver is of no use.
    func close() async
}

/// A transaction that is under way on one of the two databases.
@usableFromInline
package protocol Session: Sendable {
    /// Runs statements one after the other, in one flight, and gives the rows of each.
    ///
    /// - Throws: ``ConstraintViolation`` and the database's own errors, which the driver turns into ``StoreError``.
    func run(_ statements: [SQL]) async throws -> [[any StoredRow]]
    /// Leaves statements whose rows nobody needs to the next ones, or to the transaction's end: a way to the server less.
    /// If one fails, that is when it is told.
    func enqueue(_ statements: [SQL]) async throws
}

/// What a statement would have broken. The transaction cannot go on.
package struct ConstraintViolation: Error {
    package enum Kind: Sendable {
        case unique, check, foreignKey
        /// Something depends on what is dropped.
        case dependency
    }

    package var kind: Kind
    /// As the database names the constraint, or the column.
    package var name: String
    /// Without values.
    package var description: String
}

extension DatabaseDriver {
    /// What is committed.
    @inlinable
    package func fetch<Result>(_ query: Query<Result>) async throws -> [Result] {
        try await read([query.sql])[0].map { try query.read($0) }
    }

    /// What is committed.
    @inlinable
    package func fetch<each Result>(_ query: repeat Query<each Result>) async throws -> (repeat [each Result]) {
        var statements: [SQL] = []
        for query in repeat each query { statements.append(query.sql) }
        return try await read(statements).read(repeat each query)
    }
}

extension Session {
    /// Runs a query within the transaction.
    @inlinable
    package func fetch<Result>(_ query: Query<Result>) async throws -> [Result] {
        try await run([query.sql])[0].map { try query.read($0) }
    }

    /// Runs queries as one flight, in order.
    @inlinable
    package func fetch<each Result>(_ query: repeat Query<each Result>) async throws -> (repeat [each Result]) {
        var statements: [SQL] = []
        for query in repeat each query { statements.append(query.sql) }
        return try await run(statements).read(repeat each query)
    }
}

extension Array where Element == [any StoredRow] {
    /// The rows of each statement, read as its query says.
    @inlinable
    package func read<each Result>(_ query: repeat Query<each Result>) throws -> (repeat [each Result]) {
        var index = -1
        func next<Next>(_ query: Query<Next>) throws -> [Next] {
            index += 1
            return try self[index].map { try query.read($0) }
        }
        return (repeat try next(each query))
    }
}
