import Databases
public import Foundation

/// A transaction on a store. A store loads and saves; it decides nothing.
public struct StoreTransaction: Sendable {
    let session: any Session
    /// Takes the place of the database's clock in tests.
    let clock: (@Sendable () -> Date)?
    let catalogs: KnownCatalog

    /// The database's clock, UTC. Read after the locks are held, so that it never runs backwards for an account.
    public func now() async throws -> Date { try await fetch(nowQuery)[0] }

    var nowQuery: Query<Date> {
        guard let clock else { return Query("select \(.clock)") }
        return Query("select \(clock())")
    }

    func fetch<Result>(_ query: Query<Result>) async throws -> [Result] {
        try await session.fetch(query)
    }

    /// Runs queries as one flight, in order.
    func fetch<each Result>(_ query: repeat Query<each Result>) async throws -> (repeat [each Result]) {
        try await session.fetch(repeat each query)
    }

    /// Runs statements, in order, with the next queries or at the transaction's end.
    func run(_ statements: [SQL]) async throws {
        if !statements.isEmpty { try await session.enqueue(statements) }
    }

    func run(_ statement: SQL) async throws { try await run([statement]) }
}

extension SQL {
    /// Ends a select of rows that must not change until the transaction ends.
    static let locking = SQL(postgreSQL: { "for no key update" }, sqlite: { "" })
    /// Gives no row and does nothing, where only the other database has something to do.
    static let nothing: SQL = "select 1 where false"

    /// Whether a row is an account's; nil: whoever's it is.
    static func ownedBy(_ user: UUID?) -> SQL {
        user.map { "user_id = \($0)" } ?? "true"
    }
}
