import Billing
import Foundation
import Postgres

/// A transaction on PostgreSQL, READ COMMITTED: what must not change under it is locked before it is read.
struct PostgresTransaction: StoreTransaction {
    let connection: PostgresConnection
    let clock: (@Sendable () -> Date)?

    func now() async throws -> Date {
        if let clock { return clock() }
        return try await connection.query("select clock_timestamp()").values(Date.self)[0]
    }

    /// Locks that end with the transaction, so that they work through PgBouncer; sorted, so that two transactions never
    /// wait for each other.
    func lock(_ relations: Relations) async throws {
        let keys =
            relations.customers.map { "customer:\($0)" } + relations.subscriptions.map { "subscription:\($0)" }
            + relations.orders.map { "order:\($0)" }
        guard !keys.isEmpty else { return }
        _ = try await connection.query(
            """
            select pg_advisory_xact_lock(key)
            from (select distinct hashtextextended(name, 0) as key from unnest(\(keys)) as name order by key) as sorted
            """)
    }
}
