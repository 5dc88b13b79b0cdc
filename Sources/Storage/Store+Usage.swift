import Databases
public import Foundation
public import Selextract

extension Store {
    /// Rows that are moved in one batch, at most.
    private static let batchSize = 1000

    /// Moves what waits in the main database's `usage_analytics` into the usage database, and nothing if there is none.
    ///
    /// A batch is gathered here, written there, and then removed here; whoever comes after a process that ended in
    /// between writes the same batch, and the usage database knows whether it has it.
    ///
    /// - Returns: the rows that were moved.
    @discardableResult
    public func moveUsage() async throws -> Int {
        guard let usageDatabase else { return 0 }
        var count = 0
        while let batch = try await transaction(.patient, { try await $0.usageBatch(limit: Self.batchSize) }) {
            try await usageDatabase.add(batch)
            try await transaction { try await $0.run("delete from usage_transfers where batch = \(batch.id)") }
            count += batch.count
            if batch.count < Self.batchSize { break }
        }
        return count
    }
}

extension StoreTransaction {
    /// The batch that is under way; else the next one, if something waits. One process at a time, so that an account's
    /// deletion never overtakes its usage.
    fileprivate func usageBatch(limit: Int) async throws -> UsageBatch? {
        let waiting = Query<Int>("select 1 from usage_analytics union all select 1 from usage_transfers limit 1")
        if try await fetch(waiting).isEmpty { return nil }
        try await run("insert into usage_elsewhere (id) values (1) on conflict do nothing")
        _ = try await fetch(Query<Int>("select id from usage_elsewhere \(.locking)"))
        let begun = try await fetch(Query<UUID>("select batch from usage_transfers where batch is not null limit 1"))
        if let id = begun.first { return try await usageBatch(id) }
        let id = UUID()
        // Who counts at this moment is left to the next batch, and a row that cannot be read stays where it is.
        let (deleted, counted) = try await fetch(
            Query<Int>("select id from usage_transfers where batch is null order by id limit \(limit)"),
            Query<UsageAnalytics>(select: "from usage_analytics limit \(limit) \(.skippingLocked)").each)
        let rows = Set(counted.compactMap { try? $0.get().id })
        try await run([
            "update usage_transfers set batch = \(id) where \("id", in: deleted)",
            """
            insert into usage_transfers (user_id, date, tasks_executed, compute_units_used, api_calls, created_at, batch)
            select user_id, date, tasks_executed, compute_units_used, api_calls, created_at, \(id)
            from usage_analytics where \("id", in: rows)
            """,
            "delete from usage_analytics where \("id", in: rows)",
        ])
        let batch = try await usageBatch(id)
        return batch.count == 0 ? nil : batch
    }

    private func usageBatch(_ id: UUID) async throws -> UsageBatch {
        let (additions, deleted) = try await fetch(
            Query<UsageAddition>(
                """
                select user_id, date, tasks_executed, compute_units_used, api_calls from usage_transfers
                where batch = \(id) and date is not null order by user_id, date
                """,
                UsageAddition.init(row:)),
            Query<UUID>("select user_id from usage_transfers where batch = \(id) and date is null"))
        return UsageBatch(id: id, additions: additions, deletedAccounts: Set(deleted))
    }
}

extension SQL {
    /// Ends a select of rows that are to be changed, without those that another transaction holds.
    fileprivate static let skippingLocked = SQL(postgreSQL: { "for update skip locked" }, sqlite: { "" })
}

extension Lists {
    /// From the first day to the last, both included, oldest first; days without use are missing. With a usage database
    /// what is just being moved may be missing for a moment, and nothing is counted twice.
    public func usage(
        of user: UUID, from first: UsageDay, through last: UsageDay
    ) async throws -> Listing<UsageAnalytics> {
        let here = Query<UsageAnalytics>.usage(of: user, from: first, through: last)
        guard let usageDatabase else { return try await driver.list(here) }
        let moved = try await usageDatabase.usage(of: user, from: first, through: last)
        let (waiting, underWay) = try await driver.fetch(
            here.each,
            Query<(batch: UUID, usage: UsageAnalytics)>(
                """
                select batch, batch as id, user_id, date, tasks_executed, compute_units_used, api_calls, created_at
                from usage_transfers
                where user_id = \(user) and batch is not null and date between \(first) and \(last)
                """
            ) { (try $0.next(), try $0.record()) })
        let written = try await usageDatabase.written(Set(underWay.map(\.batch)))
        return Listing(
            moved.entries.map(\.self) + waiting
                + underWay.filter { !written.contains($0.batch) }.map { .success($0.usage) }
        ).byDay
    }
}

extension Listing<UsageAnalytics> {
    /// One row a day.
    fileprivate var byDay: Listing {
        var days: [UsageDay: UsageAnalytics] = [:]
        for row in rows {
            days[
                row.date,
                default: UsageAnalytics(id: row.id, userID: row.userID, date: row.date, createdAt: row.createdAt)
            ]
            .record(tasksExecuted: row.tasksExecuted, computeUnitsUsed: row.computeUnitsUsed, apiCalls: row.apiCalls)
        }
        return Listing(days.values.sorted { $0.date < $1.date }.map { .success($0) }, further: unreadable)
    }
}

extension Query where Result == UsageAnalytics {
    /// From the first day to the last, oldest first.
    static func usage(of user: UUID, from first: UsageDay, through last: UsageDay) -> Query {
        Query(
            select: """
                from usage_analytics where user_id = \(user) and date between \(first) and \(last) order by date
                """)
    }
}
