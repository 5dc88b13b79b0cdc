import Databases
import Foundation
import Schema
import Selextract

/// A database of its own for `usage_analytics` (`USAGE_DATABASE_URL`), without a foreign key to accounts.
///
/// What is counted waits in the main database's `usage_analytics` until ``Store/moveUsage()`` writes it here, once: no
/// transaction that charges units depends on a second database.
public struct UsageDatabase: Sendable {
    private let driver: any SchemaDriver
    private let plan: MigrationPlan

    init(_ driver: any SchemaDriver) {
        self.driver = driver
        plan = MigrationPlan(known: driver is SQLiteDriver ? Schema.usageSQLite : Schema.usagePostgreSQL)
    }

    /// Makes its tables, if they are missing.
    ///
    /// - Throws: `StoreError.schema` if the database is the main one, or has tables of these names from elsewhere.
    public func migrate() async throws {
        try await refuseMain()
        while try await driver.migrateOnce(plan) != nil {}
    }

    /// - Throws: ``StoreError`` if it does not answer, or its tables are not there.
    public func check() async throws {
        try await refuseMain()
        guard try plan.pending(try await driver.applied()).isEmpty else {
            throw StoreError.schema("the usage database has no tables yet: run `migrate`")
        }
    }

    private func refuseMain() async throws {
        guard try await driver.applied().contains(where: { $0.name == "init" }) else { return }
        throw StoreError.schema("USAGE_DATABASE_URL leads to a main database: leave it out to keep usage there")
    }

    /// Adds a batch to what is stored, unless that was done already, and forgets accounts that were deleted.
    func add(_ batch: UsageBatch) async throws {
        try await driver.transaction(.patient) { session in
            let isNew = try await session.fetch(
                Query<UUID>("insert into usage_batches (id) values (\(batch.id)) on conflict do nothing returning id"))
            guard !isNew.isEmpty else { return }
            try await session.enqueue([
                UsageAddition.table.upsert(batch.additions, changes: UsageAddition.sums),
                "delete from usage_analytics where \("user_id", in: batch.deletedAccounts)",
                // Long after any other process could still try to write them.
                "delete from usage_batches where applied_at < \(Date.now.addingTimeInterval(-30 * 86400))",
            ])
        }
    }

    func usage(
        of user: UUID, from first: UsageDay, through last: UsageDay
    ) async throws -> Listing<UsageAnalytics> {
        try await driver.list(.usage(of: user, from: first, through: last))
    }

    /// Which of these have been written.
    func written(_ batches: Set<UUID>) async throws -> Set<UUID> {
        if batches.isEmpty { return [] }
        return Set(try await driver.fetch(Query<UUID>("select id from usage_batches where \("id", in: batches)")))
    }

    func close() async { await driver.close() }
}

/// What is written into the usage database in one transaction.
struct UsageBatch: Sendable {
    var id: UUID
    /// One for each account and day.
    var additions: [UsageAddition]
    var deletedAccounts: Set<UUID>

    var count: Int { additions.count + deletedAccounts.count }
}
