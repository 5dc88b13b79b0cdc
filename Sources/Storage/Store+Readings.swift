import Databases
public import Foundation

/// How far a comparison with the provider's lists had come when it was last heard of.
public struct StoredReading: Sendable, Hashable {
    /// When its first page was asked for; all that had happened by then it has read, or will.
    public var beganAt: Date
    /// When its last page was taken in, by the database's clock.
    public var readAt: Date
    /// Invoices and orders created before were left out; nil: none was.
    public var since: Date?
    /// JSON that whoever reads the lists understands.
    public var progress: String
}

extension Store {
    /// A comparison that was begun and has not ended, and the database's clock.
    ///
    /// - Parameter scope: the provider's store, and the mode of the key.
    public func reading(_ scope: String) async throws -> (stored: StoredReading?, now: Date) {
        try await transaction { transaction in
            let stored = try await transaction.fetch(
                Query<StoredReading>(
                    "select began_at, read_at, since, progress from api_readings where scope = \(scope)"
                ) { row in
                    StoredReading(
                        beganAt: try row.next(), readAt: try row.next(), since: try row.next(),
                        progress: try row.next())
                })
            return (stored.first, try await transaction.now())
        }
    }

    /// Remembers how far a comparison has come, instead of what was remembered before. Of two at once either may be
    /// remembered: what is said of it is true of that one.
    public func remember(_ progress: String, of scope: String, beganAt: Date, since: Date?) async throws {
        try await transaction { transaction in
            let now = try await transaction.now()
            try await transaction.run(
                """
                insert into api_readings (scope, began_at, read_at, since, progress)
                values (\(scope), \(beganAt), \(now), \(since), \(progress))
                on conflict (scope) do update set began_at = excluded.began_at, read_at = excluded.read_at,
                    since = excluded.since, progress = excluded.progress
                """)
        }
    }

    /// A comparison has ended.
    public func forgetReading(_ scope: String) async throws {
        try await transaction { try await $0.run("delete from api_readings where scope = \(scope)") }
    }
}
