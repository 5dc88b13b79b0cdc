import Accounts
import Billing
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// What the schema itself holds to, whoever writes.
@Suite struct TableTests {
    private static let insertUser = "insert into users (email) values ('ada@example.com')"
    private static let oneUser = "(select id from users limit 1)"

    private static let seven = [
        insertUser,
        "insert into tasks (user_id, name, config) values (\(oneUser), 'scrape', '{\"url\": \"https://example.com\"}')",
        "insert into task_logs (task_id, level, message, metadata) values ((select id from tasks), 'info', 'm', '{}')",
        """
        insert into subscription_plans (id, name, monthly_compute_units, max_concurrent_tasks, price_cents)
        values ('gold', 'Gold', 1, 1, 1)
        """,
        "insert into user_subscriptions (user_id, plan_id) values (\(oneUser), 'starter')",
        "insert into api_keys (user_id, name, key_hash, key_prefix) values (\(oneUser), 'key', 'hash', 'sk_1')",
        "insert into usage_analytics (user_id) values (\(oneUser))",
    ]

    @Test(arguments: DatabaseKind.allCases)
    func `another program inserts naming only what it knows`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            for statement in Self.seven { try await database.execute(statement) }
            try await database.withStore { store in
                let user = try #require(try await store.users(email: "ada@example.com").first)
                #expect((user.subscriptionTier, user.computeUnitsRemaining) == ("free", 100))
                let days = user.computeUnitsResetDate.timeIntervalSince(user.createdAt) / 86_400
                #expect((27.9...31.1).contains(days))
                let row = try #require(
                    try await store.primary.subscriptions(user: user.id, limit: 1, before: nil).first)
                #expect((row.planID, row.status, row.lemonSqueezySubscriptionID) == ("starter", "active", nil))
                // A row that is not ours changes no account, and no account removes it.
                try await store.transaction { _ = try await Fold($0, policy: .init()).refresh(users: [user.id]) }
                #expect(try await store.primary.subscriptions(user: user.id, limit: 1, before: nil).count == 1)
                #expect(try await store.user(id: user.id)?.subscriptionTier == "free")
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `deleting an account deletes what is its, and later events wait`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                for statement in Self.seven.dropFirst() { try await database.execute(statement) }
                let bodies = try Fixtures.scenario("first-purchase").map(\.body)
                try await store.receive(bodies)
                try await store.consumeComputeUnits(1, for: UUID(), of: ada, policy: .init())
                let tables = [
                    "tasks", "task_logs", "user_subscriptions", "api_keys", "usage_analytics",
                    "compute_unit_ledger", "compute_unit_buckets", "compute_unit_charges",
                ]
                func filled() async throws -> [String] {
                    var filled: [String] = []
                    for table in tables where try await !database.values("select 'row' from \(table)").isEmpty {
                        filled.append(table)
                    }
                    return filled
                }
                #expect(try await filled() == tables)
                try await database.execute("delete from users")
                #expect(try await filled() == [])
                let records = try await store.primary.eventRecords(EventFilter(), limit: 10, before: nil)
                #expect(records.count == 4)
                #expect(records.allSatisfy { $0.userID == nil })
                var later = ProviderSubscription.purchase()
                let receipt = try await store.receive([later.event("subscription_updated", at: afterPurchase)])[0]
                #expect((receipt.outcome, receipt.reason) == (.parked, "unknown_account"))
            }
        }
    }

    static let refused = [
        "update users set compute_units_remaining = -1",
        "update tasks set status = 'lost'",
        "update tasks set progress = 101",
        "update tasks set compute_units_consumed = -1",
        "update tasks set config = null",
        "update tasks set config = 'no json'",
        "update task_logs set level = 'loud'",
        "update task_logs set metadata = '{'",
        "update subscription_plans set price_cents = -1",
        "update usage_analytics set api_calls = -1",
        "update user_subscriptions set plan_id = 'platinum'",
        "delete from subscription_plans where id = 'starter'",
        "insert into users (email) values ('ada@example.com')",
        "insert into users (email) values (null)",
        "insert into usage_analytics (user_id) select id from users",
        "insert into plan_variants (variant_id, plan_id) values ('1', 'platinum')",
        "update api_keys set key_prefix = 'longer than ten'",
    ]

    @Test(arguments: refused, DatabaseKind.allCases)
    func `what cannot be is refused`(statement: String, kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            for statement in Self.seven { try await database.execute(statement) }
            await #expect(throws: (any Error).self) { try await database.execute(statement) }
        }
    }

    @Test(arguments: ["users", "tasks", "user_subscriptions"], DatabaseKind.allCases)
    func `a change moves updated_at`(table: String, kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            for statement in Self.seven { try await database.execute(statement) }
            let longAgo = "1999-01-01T00:00:00.000Z"
            try await database.execute("update \(table) set updated_at = '\(longAgo)', created_at = '\(longAgo)'")
            let updated = try await database.values(
                "select cast(updated_at > created_at as varchar(5)) from \(table)")
            #expect(["1", "true"].contains(updated.first))
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `the ledger only grows, but for an event that was deleted`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                try await store.receive([ProviderSubscription.purchase().event0])
                let before = try await store.ledger(user: ada)
                #expect(before.contains { $0.entry.eventID != nil })
                for change in ["units = units + 1", "balance = 0", "reason = 'x'", "event_id = null, balance = 0"] {
                    await #expect(throws: (any Error).self) {
                        try await database.execute("update compute_unit_ledger set \(change)")
                    }
                }
                #expect(try await store.ledger(user: ada) == before)
                try await database.execute("delete from webhook_events")
                let after = try await store.ledger(user: ada)
                #expect(after.map(\.entry.balance) == before.map(\.entry.balance))
                #expect(after.allSatisfy { $0.entry.eventID == nil })
            }
        }
    }
}
