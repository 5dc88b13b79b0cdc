import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// With 100,000 accounts and 1,000,000 tasks, what is asked often is found by an index.
@Suite struct QueryPlanTests {
    @Test func `on PostgreSQL nothing that is asked often reads a large table whole`() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await Crowd.fill(database)
            // With the values at hand, and as a statement that was prepared once for all values.
            for generic in [false, true] {
                let plans = try await database.plans(generic: generic) { store in
                    try await work(store)
                    _ = try await store.primary.tasks(
                        of: nil, where: ["target_url": "https://example.com/none"], limit: 50, before: nil)
                }
                try expectIndexes(plans)
                #expect(plans.contains { $0.sql.contains("config @>") })
            }
            try await expectNotice(database)
        }
    }

    /// A database that was just restored has no statistics, and a connection keeps the plans that it made while the tables
    /// were empty.
    @Test func `on PostgreSQL no transaction's plan depends on statistics, or on how full the tables were`()
        async throws
    {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await database.execute("vacuum analyze")
            let plans = try await database.plans(before: { store in
                // More often than a statement is planned anew for its values.
                for _ in 1...7 { try await transactions(store) }
                try await database.execute("delete from users")
                try await database.execute("delete from webhook_events")
                try await Crowd.fill(database, isAnalyzed: false)
            }) { try await transactions($0) }
            try expectIndexes(plans, besides: ["tasks", "task_logs", "api_keys"])
        }
    }

    @Test func `on PostgreSQL no transaction's plan depends on statistics where the tables are full`() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await Crowd.fill(database, isAnalyzed: false)
            let plans = try await database.plans { try await transactions($0) }
            try expectIndexes(plans, besides: ["tasks", "task_logs", "api_keys"])
        }
    }

    @Test func `on SQLite nothing that is asked often reads a large table whole`() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await Crowd.fill(database)
            try expectIndexes(try await database.plans(work))
            try await expectNotice(database)
        }
    }

    /// That nothing is found is worth as much as that something would be.
    private func expectNotice(_ database: TestDatabase) async throws {
        let plans = try await database.plans { _ = try await $0.statistics() }
        #expect(plans.contains { $0.wholeTables.contains("webhook_events") })
    }

    private func expectIndexes(_ plans: [QueryPlan], besides tables: Set<String> = []) throws {
        // Each part of the work is there.
        for table in [
            "users", "tasks", "task_logs", "webhook_events", "user_subscriptions", "api_keys", "usage_analytics",
            "compute_unit_ledger", "compute_unit_buckets", "compute_unit_charges",
        ] where !tables.contains(table) {
            #expect(plans.contains { $0.sql.contains(table) }, "\(table)")
        }
        #expect(plans.count > 40)
        for plan in Set(plans.filter { !$0.wholeTables.isEmpty }) { Issue.record("\(plan)") }
    }

    /// A list, a login, a webhook, a key look-up, the clock, and a task's life.
    private func work(_ store: Store) async throws {
        try await lists(store)

        _ = try await store.user(googleID: "google-77")
        _ = try await store.users(email: "USER78@example.com")
        let id = try await transactions(store)

        let key = try await store.createKey(for: id, name: "laptop")
        #expect(try await store.keyHolder(of: key.text.secret)?.user.id == id)
        #expect(try await store.overview(user: id) != nil)
        _ = try await TimeLine(account: id, store: store, policy: BillingPolicy())
    }

    /// - Returns: a new account's id.
    @discardableResult
    private func transactions(_ store: Store) async throws -> UUID {
        let policy = BillingPolicy()
        try await store.mapPlans()
        let id = UUID()
        let user = try await store.createAccount(email: "\(id)@example.com", id: id, policy: policy)
        var subscription = ProviderSubscription.purchase(of: id, id: "\(UInt32.random(in: 1_000_000 ... .max))")
        subscription.customerID = subscription.id
        let purchase = subscription.event0
        try await store.receive([purchase, subscription.invoice(id: 1, reason: "initial", createdAt: afterPurchase)])
        try await store.receive([purchase])
        try await store.receive([subscription.event("subscription_updated", at: afterPurchase)])

        try await store.add([UsageAddition(userID: user.id, date: UsageDay(containing: .now), apiCalls: 1)])

        let task = try await store.runningTask(of: user.id)
        try await store.reportProgress(50, ofTask: task.id, of: user.id)
        try await store.completeTask(task.id, of: user.id, policy: policy)

        _ = try await Tick(store, policy: policy).run()
        return id
    }

    /// What the console's pages ask.
    private func pages(_ store: Store, of user: UUID) async throws {
        _ = try await store.primary.waiting(limit: 1000)
        _ = try await store.primary.activity(since: .now - 86_400, limit: 4000)
        _ = try await store.primary.pulse(overdueAfter: 86_400, limit: 100)
        _ = try await store.ledger(user: user, limit: 100, before: 1_000_000)
        _ = try await store.primary.ledger(event: UUID())
        _ = try await store.primary.invoices(subscription: "77", limit: 50)
        _ = try await store.primary.lastAct(user: user, subscription: "77", events: [UUID()])
        _ = try await store.primary.acts(limit: 50, before: nil)
        var rare = EventFilter()
        rare.name = "nothing"
        _ = try await store.primary.eventRecords(rare, limit: 50, before: nil, lookingAt: 4000)
        _ = try await store.primary.event(4000, before: nil)
        _ = try await store.primary.reconcileRuns(limit: 50, before: nil)
        _ = try await store.overdueRenewals(before: .now - 10 * 86_400, limit: 50)
    }

    private func lists(_ store: Store) async throws {
        let users = try await store.primary.users(limit: 50, before: nil)
        let last = try #require(users.last)
        _ = try await store.primary.users(limit: 50, before: Cursor(at: last.createdAt, id: last.id))

        let tasks = try await store.primary.tasks(of: last.id, logs: 5, limit: 5, before: nil)
        let task = try #require(tasks.last)
        let behind = Cursor(at: task.task.createdAt, id: task.id)
        _ = try await store.primary.tasks(of: last.id, logs: 5, limit: 50, before: behind)
        let logs = try await store.primary.logs(task: task.id, of: last.id, limit: 1, before: nil)
        let log = logs.last.map { Cursor(at: $0.timestamp, id: $0.id) } ?? behind
        _ = try await store.primary.logs(task: task.id, of: last.id, limit: 50, before: log)

        for user in [nil, last.id] {
            for before in [nil, behind] {
                _ = try await store.primary.subscriptions(user: user, limit: 50, before: before)
                _ = try await store.keys(user: user, limit: 50, before: before)
            }
        }
        _ = try await store.primary.usage(of: last.id, from: .epoch, through: .farOff)
        try await pages(store, of: last.id)
        _ = try await store.ledger(user: last.id)
        _ = try await store.buckets(user: last.id)

        var filters = [EventFilter(), EventFilter(), EventFilter(), EventFilter()]
        filters[1].outcome = .parked
        filters[2].subscriptionID = "77"
        filters[3].userID = last.id
        for filter in filters {
            let events = try await store.primary.eventRecords(filter, limit: 50, before: nil)
            guard let event = events.last else { continue }
            let cursor = Cursor(at: event.receivedAt, id: event.id)
            _ = try await store.primary.eventRecords(filter, limit: 50, before: cursor)
        }
    }
}
