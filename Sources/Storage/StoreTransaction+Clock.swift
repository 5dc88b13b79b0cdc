package import Billing
import Databases
package import Foundation

// What the clock, a rebuild and a retry find to do. Nothing is locked here: the fold that follows takes its locks.

extension StoreTransaction {
    /// Whether this transaction is now the only one, in any process, that runs the clock (R17). Does not wait.
    package func holdsClock() async throws -> Bool {
        try await fetch(
            Query<Bool>(
                SQL(
                    postgreSQL: { "select pg_try_advisory_xact_lock(\(PostgresDialect.clockLock))" },
                    // SQLite has one writing transaction at a time.
                    sqlite: { "select true" }))
        ) == [true]
    }

    /// Accounts whose moment has come (R17), that were computed with earlier settings than `revision`, or for a moment
    /// later than now.
    package func dueAccounts(at now: Date, revision: Int, limit: Int, except: [UUID]) async throws -> [UUID] {
        let others: SQL = "\("id", notIn: except)"
        return try await ids(
            Query<UUID>(
                """
                select id from (
                    select id, at from (
                        select id, billing_due_at as at from users where billing_due_at <= \(now) and \(others)
                        order by billing_due_at limit \(limit)
                    ) as due
                    union
                    select id, at from (
                        select id, billing_due_at as at from users where billing_revision < \(revision) and \(others)
                        order by billing_revision, id limit \(limit)
                    ) as outdated
                    union
                    select id, at from (
                        select id, billing_due_at as at from users where billing_valid_from > \(now) and \(others)
                        order by billing_valid_from limit \(limit)
                    ) as ahead
                ) as all_due
                order by at nulls last, id limit \(limit)
                """))
    }

    /// The next accounts in order of their ids.
    package func accounts(after id: UUID?, limit: Int) async throws -> Listing<UUID> {
        let condition: SQL = id.map { "id > \($0)" } ?? "true"
        return Listing(
            try await fetch(
                Query<UUID>("select id from users where \(condition) order by id limit \(limit)") { row in
                    try row.row(of: "users", key: "id") { try $0["id"] }
                }.each))
    }

    /// What can be read as an id: a row without one is nothing that could be looked at.
    private func ids(_ query: Query<UUID>) async throws -> [UUID] {
        try await fetch(query.each).compactMap { try? $0.get() }
    }

    /// Those of these accounts that have a subscription with a checkpoint.
    package func usersWithCheckpoints(among users: Set<UUID>) async throws -> Set<UUID> {
        Set(
            try await fetch(
                Query<UUID>("select c.user_id from \("subscription_checkpoints", as: "c", where: "user_id", in: users)")
            ))
    }

    /// The next subscriptions of which an event is parked, in order of their ids.
    package func parkedSubscriptions(after id: String?, limit: Int) async throws -> [String] {
        try await fetch(
            Query<String>(
                """
                select distinct subscription_id from webhook_events
                where outcome = 'parked' and subscription_id > \(id ?? "") order by subscription_id limit \(limit)
                """))
    }

    /// Parked events whose variant is mapped now, or whose claimed account exists now: their subscriptions. Accounts are
    /// asked for one by one, in a query of their own, so that no plan begins with all of them.
    package func releasable(limit: Int, matchByEmail: Bool, except: Set<String>) async throws -> Set<String> {
        Set(
            try await fetch(
                Query<String>(
                    """
                    select subscription_id from (
                        select e.subscription_id
                        from plan_variants v join webhook_events e on e.variant_id = v.variant_id
                        where e.outcome = 'parked' and e.reason = 'unknown_plan'
                        union
                        select e.subscription_id
                        from subscription_plans p join webhook_events e on e.variant_id = p.lemon_squeezy_variant_id
                        where e.outcome = 'parked' and e.reason = 'unknown_plan'
                        union
                        select e.subscription_id
                        from webhook_events e where e.outcome = 'parked' and e.reason = 'unknown_account'
                            and (select u.id from users u where u.id = e.claimed_user_id) is not null
                        union
                        select e.subscription_id
                        from webhook_events e
                        where \(matchByEmail) and e.outcome = 'parked' and e.reason = 'unknown_account'
                            and \(.isASCII("e.email")) and (
                                select count(*) from users u
                                where lower(u.email) = lower(e.email) and \(.isASCII("u.email"))
                            ) > 0
                    ) as found
                    where subscription_id is not null and \("subscription_id", notIn: except)
                    order by subscription_id limit \(limit)
                    """)))
    }

    /// Failed events whose time has come.
    package func retryable(at now: Date, limit: Int) async throws -> [UUID] {
        try await ids(
            Query<UUID>(
                """
                select id from webhook_events where outcome = 'failed' and next_attempt_at <= \(now)
                order by next_attempt_at limit \(limit)
                """))
    }

    /// Puts off failed events that failed again.
    package func postpone(_ events: [UUID], at now: Date) async throws {
        let failed = try await fetch(
            Query<(UUID, Int)>(
                "select id, attempts from webhook_events where \("id", in: events) and outcome = 'failed'"
            ) { (try $0.next(), try $0.next()) })
        let table = Table<(id: UUID, attempts: Int)>(
            "webhook_events", key: ["id"],
            [
                Column("id", \.id), Column("attempts") { $0.attempts + 1 },
                Column("next_attempt_at") { now.addingTimeInterval(RetryDelay.after(failures: $0.attempts)) },
            ])
        if !failed.isEmpty { try await run(table.update(failed.map { (id: $0.0, attempts: $0.1) })) }
    }

    // MARK: The inbox

    /// The next stored events in order of arrival.
    package func events(after arrival: Int, limit: Int) async throws -> [(arrival: Int, id: UUID)] {
        try await fetch(
            Query<(arrival: Int, id: UUID)>(
                "select arrival, id from webhook_events where arrival > \(arrival) order by arrival limit \(limit)"
            ) { (arrival: try $0.next(), id: try $0.next()) })
    }

    /// The same, each beside what was decoded of it.
    ///
    /// - Returns: those that can be read, and the place of the last of all; nil: there are no more.
    package func inbox(after arrival: Int, limit: Int) async throws -> (rows: Listing<InboxRow>, last: Int?) {
        let events = try await events(after: arrival, limit: limit)
        return (try await inbox(events.map(\.id)), events.last?.arrival)
    }

    /// Stored deliveries by their ids, in order of arrival. What was decoded of one and cannot be read is left out: its
    /// bytes are what counts.
    ///
    /// - Throws: `StoreError.unreadable`.
    package func inbox(ids: [UUID]) async throws -> [InboxRow] {
        try await inbox(ids).entries.map { try $0.orThrow() }
    }

    private func inbox(_ ids: [UUID]) async throws -> Listing<InboxRow> {
        let readable: SQL = "from webhook_events where \("id", in: ids) and \(raw: StoredEvent.readable)"
        let (rows, events) = try await fetch(
            Query<InboxRow>(select: "from webhook_events where \("id", in: ids) order by arrival").each,
            Query<StoredEvent?>("select \(raw: StoredEvent.columns.list) \(readable)") { try? StoredEvent(row: &$0) })
        let read = Dictionary(uniqueKeysWithValues: events.compactMap(\.self).map { ($0.id, $0.event) })
        return Listing(
            rows.map { row in
                row.map { row in
                    var row = row
                    row.event = read[row.id]
                    return row
                }
            })
    }

    /// Events whose columns an older version of the program has read from the bytes. They are taken in the order of the
    /// index that holds only these: in another order each query would pass over all events that were read again
    /// already.
    package func outdated(limit: Int, except: [UUID]) async throws -> [UUID] {
        try await ids(
            Query<UUID>(
                """
                select id from webhook_events where decoder < 2 and \("id", notIn: except)
                order by decoder, arrival limit \(limit)
                """))
    }

    /// Quarantined events that these settings accept (R4).
    package func acceptable(_ acceptance: Acceptance, limit: Int, except: [UUID]) async throws -> [UUID] {
        var sql: SQL = "select id from webhook_events where outcome = 'quarantined' and erased_at is null"
        if acceptance.mode != .any { sql += " and test_mode = \(acceptance.mode == .test)" }
        if let store = acceptance.storeID { sql += " and store_id = \(store)" }
        return try await ids(Query<UUID>(sql + " and \("id", notIn: except) limit \(limit)"))
    }

    /// Replaces what was decoded of events. The outcome stays, unless they turn out to be of another kind or were put
    /// aside: then it is that of the new ones.
    package func redecode(_ events: [UUID: InboxEvent]) async throws {
        try await run(
            """
            delete from subscription_checkpoints where subscription_id in (
                select subscription_id from \("webhook_events", as: "e", where: "id", in: Set(events.keys))
            )
            """)
        try await run(RereadEventRow.update(events.map { RereadEventRow(id: $0.key, event: $0.value) }))
    }

    /// Marks events as read by this version.
    package func markDecoded(_ ids: [UUID]) async throws {
        try await run("update webhook_events set decoder = \(InboxEvent.decoder) where \("id", in: ids)")
    }
}
