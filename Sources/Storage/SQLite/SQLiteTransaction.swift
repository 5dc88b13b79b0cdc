import Billing
import Foundation

/// A transaction on SQLite. It is the only one that writes, so that nothing it reads can change under it.
struct SQLiteTransaction: StoreTransaction {
    let connection: SQLiteWriter
    let clock: (@Sendable () -> Date)?

    func now() async throws -> Date {
        if let clock { return clock() }
        return try await connection.query("select \(unescaped: SQLiteStore.moment)").values(Date.self)[0]
    }

    /// Held since the transaction began.
    func lock(_ relations: Relations) async throws {}
}
