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
            // With the values at hand, as a statement that was prepared once for all values, and as the console reads.
            for (generic, limit) in [(false, nil), (true, nil), (true, Duration.seconds(60))] {
                let plans = try await database.plans(generic: generic, readTimeout: limit) { store in
                    try await work(store)
                    try await pages(store)
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
    @Test func `on PostgreSQL no transaction's plan depends on how full the tables were`() async throws {
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

    @Test func `on PostgreSQL no plan of a transaction or a page depends on statistics`() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await Crowd.fill(database, isAnalyzed: false)
            let plans = try await database.plans { try await acts($0, try await transactions($0)) }
            try expectIndexes(plans, besides: ["tasks", "task_logs", "api_keys"])
            let shown = try await database.plans(readTimeout: .seconds(60)) { try await pages($0) }
            #expect(shown.count > 10)
            expectNoWalk(shown)
        }
    }

    @Test func `on SQLite nothing that is asked often reads a large table whole`() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await Crowd.fill(database)
            try expectIndexes(
                try await database.plans { store in
                    try await work(store)
                    try await pages(store)
                    try await acts(store, try await transactions(store))
                })
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
        for table in Crowd.large.subtracting(tables) {
            #expect(plans.contains { $0.sql.contains(table) }, "\(table)")
        }
        #expect(plans.count > 40)
        expectNoWalk(plans)
    }

    private func expectNoWalk(_ plans: [QueryPlan]) {
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

    /// What operators do, for an account and what another one has bought.
    private func acts(_ store: Store, _ user: UUID) async throws {
        let policy = BillingPolicy()
        _ = try await store.adjust(user, units: 5, reason: "test", policy: policy)
        try await store.grant("professional", to: user, until: nil, reason: "test", policy: policy)
        try await store.endGrants(of: user, reason: "test", policy: policy)
        let other = try await transactions(store)
        let rows = try await store.primary.subscriptions(user: other, limit: 1, before: nil).rows
        let bought = try #require(rows.first?.lemonSqueezySubscriptionID)
        try await store.bind(subscription: bought, to: user, reason: "test", policy: policy)
        var unknown = ProviderSubscription.purchase(of: user, id: "\(UInt32.random(in: 1_000_000 ... .max))")
        unknown.variantID = "999"
        try await store.receive([unknown.event0])
        var filter = EventFilter()
        filter.subscriptionID = unknown.id
        let waiting = try await store.primary.eventRecords(filter, limit: 9, before: nil).map(\.id)
        _ = try await store.retry(events: waiting, policy: policy)
        _ = try await store.discard(events: waiting, reason: "test", policy: policy)
        _ = try await store.retry(events: waiting, policy: policy)

        let later = unknown.event("subscription_updated", at: afterPurchase.addingTimeInterval(60))
        let object = try #require(try JSONValue(parsing: later)["data"])
        let seen = try #require(InboxEvent(observed: "subscriptions", bytes: object.wireBytes()))
        let observations = Observations(store, policy: policy)
        #expect(try await observations.news([seen]).count == 1)
        _ = try await observations.compare([[seen]])
        _ = try await observations.take([seen])

        try await store.mapVariant("999", to: "starter")
        #expect(try await store.release(policy: policy) > 0)
        #expect(try await store.deleteAccount(user, erase: true, policy: policy) > 0)
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

    /// What the console's pages ask beside that.
    private func pages(_ store: Store) async throws {
        let lists = store.primary
        _ = try await lists.waiting(limit: 1000)
        _ = try await lists.activity(since: .now.addingTimeInterval(-86_400), limit: 5000)
        _ = try await store.unmappedVariants()
        _ = try await lists.overdueRenewals(at: .now, grace: 86_400, limit: 50)
        let newest = try await lists.eventRecords(EventFilter(), limit: 1, before: nil)
        let last = try #require(newest.last)
        let cursor = try #require(try await lists.event(1000, before: nil))
        _ = try await lists.event(1000, before: cursor)
        // A filter that no index answers looks at so many.
        var filter = EventFilter()
        filter.name = "subscription_cancelled"
        _ = try await lists.eventRecords(filter, limit: 50, before: cursor, lookingAt: 1000)
        _ = try await store.eventRecord(last.id)
        _ = try await store.eventBody(last.id)
        _ = try await lists.ledger(event: last.id)
        _ = try await lists.invoices(subscription: "77", limit: 50)
        _ = try await lists.acts(limit: 50, before: cursor)
        _ = try await lists.lastAct(user: last.userID, subscription: "77", events: [last.id])
        _ = try await lists.reconcileRuns(limit: 50, before: cursor)
        _ = try await lists.reconcileRun(last.id)
        _ = try await store.subscription("sub-77")
        let user = try #require(try await lists.users(limit: 1, before: nil).first)
        _ = try await store.ledger(user: user.id, limit: 101, before: .max)
        _ = try await TimeLine(account: user.id, store: store, policy: BillingPolicy())
    }
}
