import Accounts
import Billing
import Databases
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct TaskCreationTests {
    private let policy = BillingPolicy()

    @Test(arguments: DatabaseKind.allCases)
    func `a task is stored as it was described, pending, at the database's time`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            let new = NewTask(
                name: "Angebote 🛒", description: "all of them", taskType: "deep_scraping", configuration: .sample,
                priority: -3, scheduledAt: clock.now + 60.25, estimatedComputeUnits: 7)
            let task = try await store.createTask(new, for: ada, policy: policy)
            #expect(task.id == new.id)
            #expect((task.userID, task.name, task.description) == (ada, "Angebote 🛒", "all of them"))
            #expect((task.taskType, task.priority, task.estimatedComputeUnits) == ("deep_scraping", -3, 7))
            #expect(task.scheduledAt == clock.now + 60.25)
            #expect((task.status, task.progress, task.computeUnitsConsumed) == (.pending, 0, 0))
            #expect(task.createdAt == clock.now)
            #expect(try task.configuration() == .sample)
            #expect(try await store.task(task.id, of: ada) == task)
            let again = await storeError { _ = try await store.createTask(new, for: ada, policy: policy) }
            // The plan's only task is this one: which of the two is told does not matter, but it is not stored twice.
            #expect(again == nil)
            #expect(try await store.workRows(of: ada).tasks.map(\.task) == [task])
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `the plan's limit, no units and an inactive account refuse a task, and leave nothing`(
        kind: DatabaseKind
    ) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(beforePurchase)) { store in
                try await store.prepare()
                func refusal() async -> TaskRefusal? {
                    await thrown(TaskRefusal.self) {
                        _ = try await store.createTask(.named("further"), for: ada, policy: policy)
                    }
                }
                let first = try await store.createTask(.named("first"), for: ada, policy: policy)
                #expect(await refusal() == .tooManyTasks(limit: 1))
                for step in [store.queueTask, store.startTask] {
                    _ = try await step(first.id, ada)
                    #expect(await refusal() == .tooManyTasks(limit: 1))
                }
                try await store.completeTask(first.id, of: ada, policy: policy)
                _ = try await store.adjust(ada, units: -99, reason: "test", policy: policy)
                #expect(await refusal() == .noUnits(remaining: 0))
                _ = try await store.adjust(ada, units: 1, reason: "test", policy: policy)
                try await database.execute("update users set is_active = false")
                #expect(await refusal() == .inactive)
                try await database.execute("update users set is_active = true")
                #expect(await refusal() == nil)
                #expect(try await store.workRows(of: ada).tasks.count == 2)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `the plan and the units that count are those of the moment, though no clock ran`(
        kind: DatabaseKind
    ) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            var subscription = ProviderSubscription.purchase()
            try await store.receive([subscription.event("subscription_created")])
            for name in ["one", "two", "three"] {
                _ = try await store.createTask(.named(name), for: ada, policy: policy)
            }
            subscription.status = "cancelled"
            subscription.endsAt = .utc("2026-11-12 09:30:01")
            try await store.receive([subscription.event("subscription_cancelled", at: .utc("2026-10-20 00:00:00"))])
            clock.set(.utc("2026-11-12 09:30:00"))
            let before = await thrown(TaskRefusal.self) {
                _ = try await store.createTask(.named("four"), for: ada, policy: policy)
            }
            #expect(before == .tooManyTasks(limit: 3))
            clock.set(.utc("2026-11-12 09:30:02"))
            let after = await thrown(TaskRefusal.self) {
                _ = try await store.createTask(.named("four"), for: ada, policy: policy)
            }
            #expect(after == .tooManyTasks(limit: 1))
            for task in try await store.primary.tasks(of: ada, logs: 0, limit: 10, before: nil) {
                try await store.cancelTask(task.id, of: ada, policy: policy)
            }
            _ = try await store.createTask(.named("four"), for: ada, policy: policy)
            #expect(try await store.user(id: ada)?.subscriptionTier == "free")
            // Units that another program took are seen before it is decided.
            #expect(try await store.user(id: ada)?.computeUnitsRemaining == 100)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what cannot be stored is refused before anything is, by name`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            try await store.prepare()
            var bad: [NewTask] = [.named(""), .named(String(repeating: "n", count: 256)), .named("a\0b")]
            bad.append(NewTask(name: "n", taskType: String(repeating: "t", count: 51), configuration: .sample))
            bad.append(NewTask(name: "n", configuration: .sample, priority: Int(Int32.max) + 1))
            bad.append(NewTask(name: "n", configuration: .sample, estimatedComputeUnits: -1))
            for new in bad {
                let error = await storeError { _ = try await store.createTask(new, for: ada, policy: policy) }
                guard case .conflict = error else {
                    Issue.record("\(new) was not refused")
                    continue
                }
            }
            var configuration = TaskConfiguration.sample
            configuration.targetURL = "ftp://example.com"
            let invalid = await thrown(InvalidTaskConfiguration.self) {
                _ = try await store.createTask(
                    NewTask(name: "n", configuration: configuration), for: ada, policy: policy)
            }
            #expect(invalid?.problems.map(\.path) == ["target_url"])
            let nobody = await storeError { _ = try await store.createTask(.named("n"), for: bob, policy: policy) }
            #expect(nobody == .notFound("account “\(bob.uuidString.lowercased())”"))
            #expect(try await store.workRows(of: ada).tasks.isEmpty)
            let longest = try await store.createTask(
                .named(String(repeating: "é", count: 255)), for: ada, policy: policy)
            #expect(longest.name.count == 255)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an id that is taken is a conflict`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            try await store.prepare()
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            let new = NewTask.named("mine")
            _ = try await store.createTask(new, for: ada, policy: policy)
            let taken = await storeError { _ = try await store.createTask(new, for: bob, policy: policy) }
            #expect(taken == .conflict("a task with that id exists already"))
            #expect(try await store.task(new.id, of: bob) == nil)
        }
    }
}
