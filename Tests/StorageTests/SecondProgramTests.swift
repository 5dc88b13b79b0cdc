import Accounts
import Billing
import Foundation
import LemonSqueezy
import SchemaValidation
import Selextract
import Storage
import TestSupport
import Testing

/// Another program at the same database: plain SQL, and no column named that is not agreed upon.
private struct SecondProgram {
    let database: TestDatabase

    let user = "11111111-2222-4333-8444-555555555555"
    let task = "22222222-2222-4333-8444-555555555555"

    /// Minutes ago, in the database's own words.
    func ago(_ minutes: Double) -> String {
        let seconds = Int(minutes * 60)
        return database.kind == .postgreSQL
            ? "now() - interval '\(seconds) seconds'" : "datetime('now', '\(-seconds) seconds')"
    }

    func insertIntoAll() async throws {
        try await database.execute(
            """
            insert into users (
                id, email, full_name, google_id, is_active, subscription_tier, compute_units_remaining,
                compute_units_reset_date, created_at, updated_at
            )
            values (
                '\(user)', 'eve@example.com', 'Eve', 'g-1', true, 'free', 90, \(ago(-20 * 1440)), \(ago(1)), \(ago(1))
            );
            insert into tasks (
                id, user_id, name, description, task_type, config, status, priority, scheduled_at, started_at,
                completed_at, compute_units_consumed, estimated_compute_units, progress, error_message,
                result_file_path, created_at, updated_at
            )
            values (
                '\(task)', '\(user)', 'offers', 'all of them', 'simple_scraping', '{"url": "https://example.com"}',
                'pending', 5, \(ago(3)), null, null, 0, 2, 0, null, null, \(ago(4)), \(ago(4))
            );
            insert into task_logs (task_id, level, message, timestamp)
            values ('\(task)', 'info', 'queued by another', \(ago(4)));
            insert into task_logs (task_id, level, message, metadata) values ('\(task)', 'debug', 'more', '{"n": 1}');
            insert into subscription_plans (
                id, name, description, monthly_compute_units, max_concurrent_tasks, price_cents,
                lemon_squeezy_variant_id, is_active, created_at
            )
            values ('gold', 'Gold', 'Rare', 9000, 20, 6900, '777', true, \(ago(9)));
            insert into user_subscriptions (
                user_id, plan_id, lemon_squeezy_subscription_id, status, current_period_start, current_period_end,
                cancel_at_period_end, created_at, updated_at
            )
            values (
                '\(user)', 'gold', null, 'active', \(ago(1440)), \(ago(-1440)), false, \(ago(1440)), \(ago(1440))
            );
            insert into api_keys (
                user_id, name, description, key_hash, key_prefix, last_used_at, is_active, created_at
            )
            values (
                '\(user)', 'theirs', 'a key', '\(String(repeating: "ab", count: 32))', 'sk_live_1', \(ago(9)), true,
                \(ago(99))
            );
            insert into usage_analytics (user_id, date, tasks_executed, compute_units_used, api_calls, created_at)
            values ('\(user)', '2026-10-01', 4, 17, 100, \(ago(1)));
            """)
    }

    /// What a row shows, columns between bars; times left out.
    func read(_ columns: String, of table: String) async throws -> [String] {
        let texts = columns.split(separator: " ").map { "coalesce(cast(\($0) as varchar(99)), '-')" }
        return try await database.values("select \(texts.joined(separator: " || '|' || ")) from \(table)")
    }

    var units: Int {
        get async throws {
            Int(try await database.values("select cast(compute_units_remaining as varchar(20)) from users")[0]) ?? -1
        }
    }
}

@Suite struct SecondProgramTests {
    private let policy = BillingPolicy()

    @Test(arguments: DatabaseKind.allCases)
    func `what another program writes is read, worked with and left as it is`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let other = SecondProgram(database: database)
            try await other.insertIntoAll()
            let eve = try #require(UUID(uuidString: other.user))
            let task = try #require(UUID(uuidString: other.task))
            try await database.withStore { store in
                // Read.
                let user = try #require(try await store.user(googleID: "g-1"))
                #expect((user.id, user.email, user.fullName, user.isActive) == (eve, "eve@example.com", "Eve", true))
                #expect(try await store.users(email: "EVE@example.com").map(\.id) == [eve])
                let listed = try await store.primary.tasks(of: eve, logs: 5, limit: 9, before: nil)
                #expect(listed.map(\.task.name) == ["offers"])
                #expect(listed[0].task.config == ["url": "https://example.com"])
                #expect(listed[0].logs.map(\.message) == ["more", "queued by another"])
                #expect(listed[0].logs.map(\.metadata) == [["n": 1], nil])
                #expect(
                    try await store.lists.plans().map(\.id) == [
                        "free", "starter", "professional", "gold", "enterprise",
                    ])
                #expect(try await store.primary.variants()["777"] == "gold")
                let rows = try await store.primary.subscriptions(user: eve, limit: 9, before: nil)
                #expect(rows.map(\.planID) == ["gold"])
                let holder = try await store.keyHolder(hash: String(repeating: "ab", count: 32))
                #expect((holder?.user.id, holder?.key.keyPrefix) == (eve, "sk_live_1"))
                let usage = try await store.primary.usage(of: eve, from: .epoch, through: .farOff)
                #expect(usage.map(\.computeUnitsUsed) == [17])
                let overview = try #require(try await store.overview(user: eve))
                #expect((overview.computeUnitsLimit, overview.user.computeUnitsRemaining) == (100, 90))
                #expect((overview.unfinishedTasks, overview.canCreateTask) == (1, false))

                // Work with: its task goes on here.
                try await store.queueTask(task, of: eve)
                try await database.execute(
                    "update tasks set status = 'running', started_at = \(other.ago(1.5)), progress = 40")
                let ended = try await store.completeTask(task, of: eve, resultFilePath: "/tmp/1", policy: policy)
                #expect(ended.computeUnitsConsumed == 2)
                #expect(try await other.units == 88)
                #expect(
                    try await other.read("status progress compute_units_consumed result_file_path", of: "tasks")
                        == ["completed|100|2|/tmp/1"])
                #expect(try await database.values("select message from task_logs").contains("completed"))
                try await sound(store, eve, units: 88)

                // Left as it is: all that is not units.
                #expect(try await other.read("full_name google_id subscription_tier", of: "users") == ["Eve|g-1|free"])
                #expect(
                    try await other.read("plan_id status lemon_squeezy_subscription_id", of: "user_subscriptions")
                        == ["gold|active|-"])
                #expect(try await other.read("name key_prefix", of: "api_keys") == ["theirs|sk_live_1"])
                #expect(
                    Set(try await other.read("tasks_executed compute_units_used api_calls", of: "usage_analytics"))
                        == ["4|17|100", "1|2|0"])
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what it changes counts, units at once`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let other = SecondProgram(database: database)
            try await other.insertIntoAll()
            let eve = try #require(UUID(uuidString: other.user))
            try await database.withStore { store in
                // Before we have ever looked at the account, and after.
                for (change, left) in [("- 15", 75), ("- 5", 70), ("+ 20", 90), ("- 90", 0), ("+ 64", 64)] {
                    try await database.execute(
                        "update users set compute_units_remaining = compute_units_remaining \(change)")
                    #expect(try await store.entitlement(user: eve)?.computeUnitsRemaining == left)
                    #expect(try await store.overview(user: eve)?.user.computeUnitsRemaining == left)
                    try await sound(store, eve, units: left)
                }
                try await database.execute("update users set compute_units_remaining = 3, subscription_tier = 'gold'")
                await #expect(throws: UnitRefusal.insufficient(requested: 4, remaining: 3)) {
                    try await store.consumeComputeUnits(4, for: UUID(), of: eve, policy: policy)
                }
                try await store.consumeComputeUnits(3, for: UUID(), of: eve, policy: policy)
                #expect(try await other.read("compute_units_remaining subscription_tier", of: "users") == ["0|gold"])

                try await database.execute(
                    """
                    update tasks set status = 'cancelled', completed_at = \(other.ago(0)), error_message = 'by hand';
                    update task_logs set level = 'warning';
                    update subscription_plans set price_cents = 7900, monthly_compute_units = 9001 where id = 'gold';
                    update user_subscriptions set status = 'expired', cancel_at_period_end = true;
                    update api_keys set is_active = false;
                    update usage_analytics set api_calls = api_calls + 1
                    """)
                #expect(try await store.primary.tasks(of: eve, logs: 1, limit: 1, before: nil)[0].task.isFinished)
                #expect(try await store.primary.plans().first { $0.id == "gold" }?.priceCents == 7900)
                #expect(try await store.primary.subscriptions(user: eve, limit: 1, before: nil)[0].status == "expired")
                #expect(try await store.keyHolder(hash: String(repeating: "ab", count: 32)) == nil)
                #expect(try await store.primary.usage(of: eve, from: .epoch, through: .farOff).map(\.apiCalls) == [101])
                try await sound(store, eve, units: 0)
                #expect(try await store.validateSchema().differences == [])
                try await database.execute(
                    "delete from user_subscriptions; delete from subscription_plans where id = 'gold'; delete from users"
                )
                #expect(try await store.primary.tasks(of: eve, logs: 1, limit: 1, before: nil) == [])
                #expect(try await store.primary.plans().count == 4)
            }
        }
    }

    /// After the clock has run, row, view and ledger say the same, and a rebuild finds nothing.
    private func sound(_ store: Store, _ user: UUID, units: Int) async throws {
        let report = try await Tick(store, policy: policy).run()
        #expect(report.failures == 0)
        try await store.transaction { _ = try await Fold($0, policy: policy).refresh(users: [user]) }
        #expect(try await store.user(id: user)?.computeUnitsRemaining == units)
        #expect(try await store.entitlement(user: user)?.computeUnitsRemaining == units)
        let ledger = try await store.ledger(user: user)
        #expect(ledger.last?.entry.balance == units)
        #expect(ledger.reduce(0) { $0 + $1.entry.units } == units)
        #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
    }
}
