import Accounts
import Billing
import Databases
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// Values that other programs write and this one cannot read, or that lie far away: no row ends what others are part of.
@Suite struct UnreadableRowTests {
    private let policy = BillingPolicy()
    private static let task = UUID()

    /// All columns with a moment or a day that other programs may write, and the row of Ada's in which they are.
    private static let places = [
        Place("users", "id = '\(ada.lowercased)'", "created_at updated_at compute_units_reset_date billing_due_at"),
        Place("tasks", "id = '\(task.lowercased)'", "scheduled_at started_at completed_at created_at updated_at"),
        Place("task_logs", "task_id = '\(task.lowercased)'", "timestamp"),
        Place("usage_analytics", "user_id = '\(ada.lowercased)'", "date"),
        Place("api_keys", "user_id = '\(ada.lowercased)'", "created_at last_used_at"),
        Place(
            "user_subscriptions", "user_id = '\(ada.lowercased)'",
            "current_period_start current_period_end created_at updated_at source_created_at source_updated_at renews_at "
                + "ends_at trial_ends_at pause_resumes_at latest_event_at"),
        Place(
            "webhook_events", "event_name = 'subscription_created'",
            "received_at last_received_at renews_at ends_at source_created_at source_updated_at"),
        Place("compute_unit_buckets", "line = '910001'", "begins_at ends_at unlocked_at"),
        Place(
            "compute_unit_ledger", "id = (select min(id) from compute_unit_ledger where user_id = '\(ada.lowercased)')",
            "created_at"),
    ]

    private struct Place {
        var table: String
        var condition: String
        var columns: [String]

        init(_ table: String, _ condition: String, _ columns: String) {
            (self.table, self.condition) = (table, condition)
            self.columns = columns.split(separator: " ").map(String.init)
        }
    }

    static let values = [
        "infinity", "-infinity", "9999-12-31", "200000-01-01", "294276-12-31 23:59:59.999999+00", "0044-03-15 BC",
    ]
    /// Only where a column may hold any text.
    static let texts = ["", "yesterday", "2026-13-40", "9999999999999999999"]

    /// Two accounts with a row of everything.
    private func withAccounts(
        _ kind: DatabaseKind, _ body: (TestDatabase, Store, TestClock) async throws -> Void
    ) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                _ = try await store.createAccount(email: "bob@example.com", id: bob, policy: policy)
                try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
                for user in [ada, bob] {
                    let task = try await store.createTask(
                        .named("offers", id: user == ada ? Self.task : UUID()), for: user, policy: policy)
                    try await store.add(
                        [TaskLog(id: UUID(), taskID: task.id, message: "m", timestamp: clock.now)], of: user)
                    _ = try await store.createKey(for: user, name: "key")
                    try await store.add([
                        UsageAddition(userID: user, date: UsageDay(containing: clock.now), apiCalls: 1)
                    ])
                }
                _ = try await Tick(store, policy: policy).run()
                try await body(database, store, clock)
            }
        }
    }

    /// How many rows of each list are shown or named.
    private func shown(_ store: Store) async throws -> [Int] {
        let users = try await store.primary.users(limit: 100, before: nil)
        let subscriptions = try await store.primary.subscriptions(user: nil, limit: 100, before: nil)
        let events = try await store.primary.eventRecords(EventFilter(), limit: 100, before: nil)
        let keys = try await store.keys(user: nil, limit: 100, before: nil)
        var counts = [users.entries.count, subscriptions.entries.count, events.entries.count, keys.entries.count]
        for user in [ada, bob] {
            counts.append(try await store.primary.tasks(of: user, logs: 9, limit: 100, before: nil).entries.count)
            let (_, _, _) = (
                try await store.ledger(user: user), try await store.buckets(user: user),
                try await store.primary.usage(of: user, from: UsageDay(containing: beforePurchase), through: .farOff)
            )
        }
        return counts
    }

    /// Writes a value into Ada's rows, and puts back what was there. What a check refuses, no other program writes either.
    private func mangle(
        _ database: TestDatabase, _ place: Place, _ column: String, _ value: String, _ body: () async throws -> Void
    ) async throws {
        let isLite = database.kind == .sqlite
        // No trigger of ours gets in the way.
        let quietly = isLite ? "" : "set session_replication_role = replica; "
        let before = try await database.values(
            """
            select coalesce(cast(\(column) as \(isLite ? "text" : "varchar")), '') from \(place.table)
            where \(place.condition)
            """)
        try #require(before.count == 1, "\(place.table).\(column)")
        func write(_ literal: String) async throws {
            try await database.execute(
                "\(quietly)update \(place.table) set \(column) = \(literal) where \(place.condition)")
        }
        do {
            try await write("'\(value)'")
        } catch {
            return
        }
        try await body()
        try await write(before[0].isEmpty ? "null" : "'\(before[0])'")
    }

    /// What else reads the rows, the clock when both accounts are due.
    private func look(_ store: Store, _ clock: TestClock, at column: String, _ what: Comment) async throws {
        for user in [ada, bob] {
            do {
                _ = try await TimeLine(account: user, store: store, policy: policy)
            } catch StoreError.unreadable(let row) {
                // Of the account itself nothing is left to be told.
                #expect(user == ada && row.table == "users" && row.column == column, what)
                #expect(row.id == ada.lowercased, what)
            }
        }
        let tick = try await nextMonth(store, clock)
        #expect(tick.faults.allSatisfy { !$0.why.isEmpty && $0.id != bob.lowercased }, what)
        let check = try await Rebuild(store, policy: policy).run(check: true)
        #expect(check.accounts == 2 && check.events == 4, what)
        #expect(!(check.failures + check.differences).contains { $0.id == bob.lowercased }, what)
    }

    private func nextMonth(_ store: Store, _ clock: TestClock) async throws -> Tick.Report {
        let now = clock.now
        defer { clock.set(now) }
        clock.set(.utc("2026-11-20 00:00:00"))
        return try await Tick(store, policy: policy).run(dryRun: true)
    }

    @Test(
        "A date that is far away, or none, ends no list, no explanation, no clock and no rebuild",
        arguments: DatabaseKind.allCases)
    func anyColumn(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { database, store, clock in
            #expect(try await nextMonth(store, clock).accounts == 2)
            let whole = try await shown(store)
            let bobs = try await store.picture(of: bob)
            for place in Self.places {
                for column in place.columns {
                    for value in Self.values + (kind == .sqlite ? Self.texts : []) {
                        try await mangle(database, place, column, value) {
                            let what: Comment = "\(place.table).\(column) = \(value)"
                            #expect(try await shown(store) == whole, what)
                            try await look(store, clock, at: column, what)
                        }
                        #expect(try await store.picture(of: bob) == bobs)
                    }
                }
            }
            #expect(try await Rebuild(store, policy: policy).run(check: true).failures == [])
        }
    }

    @Test("What cannot be read is named by its table, its id and its column; the rest is shown")
    func named() async throws {
        try await withAccounts(.sqlite) { database, store, _ in
            try await database.execute(
                """
                update user_subscriptions set renews_at = 'soon'; update task_logs set timestamp = 'now';
                update api_keys set created_at = '10000-01-01' where user_id = '\(bob.lowercased)';
                insert into compute_unit_ledger (user_id, kind, units, balance, line, begins_at, created_at)
                values ('\(ada.lowercased)', 'correction', 0, 1000, '910001', '2026-10-12T09:30:04.000Z', '')
                """)
            let own = try await store.primary.subscriptions(user: ada, limit: 9, before: nil)
            let id = try #require(try await database.values("select id from user_subscriptions").first)
            let row = UnreadableRow(table: "user_subscriptions", key: "id", id: id, column: "renews_at")
            #expect(own.isEmpty && own.unreadable == [row])
            #expect(
                row.description
                    == "a row of user_subscriptions (id \(id)) cannot be read: its column renews_at holds no usable value"
            )
            let tasks = try await store.primary.tasks(of: ada, logs: 9, limit: 9, before: nil)
            #expect(tasks.map(\.logs) == [[]])
            #expect(tasks.unreadable.map(\.table) == ["task_logs"])
            let keys = try await store.keys(user: nil, limit: 9, before: nil)
            #expect(keys.map(\.userID) == [ada] && keys.unreadable.map(\.column) == ["created_at"])

            let line = try await TimeLine(account: ada, store: store, policy: policy)
            #expect(Set(line.unreadable.compactMap(\.table)) == ["user_subscriptions", "compute_unit_ledger"])
            let events = line.items.count { if case .event = $0.item { true } else { false } }
            #expect(line.user?.id == ada && events == 4)
        }
    }

    @Test("The clock and a rebuild skip an account that cannot be read, name it, and go on", arguments: [1, 1000])
    func clock(_ chunk: Int) async throws {
        try await withAccounts(.sqlite) { database, store, clock in
            clock.set(.utc("2026-11-20 00:00:00"))
            let good = "select subscription_tier from users where id = '\(ada.lowercased)'"
            try await database.execute(
                "update users set compute_units_reset_date = 'soon' where id = '\(ada.lowercased)'")
            let why =
                "a row of users (id \(ada.lowercased)) cannot be read: its column compute_units_reset_date holds no usable "
                + "value"
            let report = try await Tick(store, policy: policy, chunk: chunk).run()
            #expect(report.failures == 1 && report.accounts == 1)
            #expect(report.faults.map(\.id) == [ada.lowercased] && report.faults.map(\.why) == [why])
            #expect(try await store.user(id: bob)?.computeUnitsResetDate == .utc("2026-12-12 10:00:00"))

            try await database.execute("update users set subscription_tier = 'starter' where id = '\(bob.lowercased)'")
            for check in [true, false] {
                let rebuilt = try await Rebuild(store, policy: policy, chunk: chunk).run(check: check)
                #expect(rebuilt.events == 4 && rebuilt.accounts == 2)
                #expect(rebuilt.differences.map(\.id) == [bob.lowercased])
                #expect(rebuilt.failures.map(\.id) == [ada.lowercased])
                #expect(rebuilt.failures.first?.detail == "could not be computed: \(why)")
            }
            #expect(try await store.user(id: bob)?.subscriptionTier == "free")
            #expect(try await database.values(good) == ["starter"])
        }
    }

    @Test(
        "An event whose columns are mangled is named in lists, and read again from its bytes",
        arguments: DatabaseKind.allCases)
    func event(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { database, store, _ in
            try await database.execute("update webhook_events set event_name = null where kind = 'subscription'")
            let line = try await TimeLine(account: ada, store: store, policy: policy)
            #expect(line.unreadable.map(\.column) == ["event_name", "event_name"])
            #expect(line.unreadable.allSatisfy { $0.table == "webhook_events" && $0.id != nil })
            let check = try await Rebuild(store, policy: policy).run(check: true)
            #expect(check.differences.contains { $0.subject == .event })
            _ = try await Rebuild(store, policy: policy).run(check: false)
            #expect(try await TimeLine(account: ada, store: store, policy: policy).unreadable == [])
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
        }
    }
}
