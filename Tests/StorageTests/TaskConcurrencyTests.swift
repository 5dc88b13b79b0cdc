import Accounts
import Billing
import Databases
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct TaskConcurrencyTests {
    private let policy = BillingPolicy()

    @Test(arguments: DatabaseKind.allCases)
    func `creating many tasks at once passes the limit never`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            try await store.receive([ProviderSubscription.purchase().event0])
            let refused = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        do {
                            _ = try await store.createTask(.named("\(number)"), for: ada, policy: policy)
                            return false
                        } catch TaskRefusal.tooManyTasks(let limit) {
                            return limit == 3
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(refused == 9)
            #expect(try await store.overview(user: ada)?.unfinishedTasks == 3)
        }
    }

    /// Each worker creates tasks, starts and ends them, until no units are left; two stores, as two processes.
    @Test(arguments: Reach.allCases)
    func `twenty workers for one account keep to the plan, and every unit is accounted for`(
        reach: Reach
    ) async throws {
        let clock = TestClock(afterPurchase)
        let workers = reach == .sqlite ? 6 : 20
        try await reach.withStores(clock: clock) { one, two in
            try await one.prepare()
            try await one.receive([ProviderSubscription.purchase().event0])
            _ = try await one.adjust(ada, units: -850, reason: "a short test", policy: policy)
            let most = try await withThrowingTaskGroup(of: Int.self) { group in
                for worker in 0..<workers {
                    let store = worker.isMultiple(of: 2) ? one : two
                    group.addTask {
                        var most = 0
                        for round in 0..<3 {
                            let task: ScrapingTask
                            do {
                                task = try await patiently {
                                    try await store.createTask(.named("\(worker)"), for: ada, policy: policy)
                                }
                            } catch is TaskRefusal {
                                await Task.yield()
                                continue
                            }
                            let unfinished = try await store.overview(user: ada)?.unfinishedTasks ?? 0
                            most = max(most, unfinished)
                            try await patiently { try await store.startTask(task.id, of: ada) }
                            clock.advance(by: 90)
                            try await patiently { try await store.reportProgress(50, ofTask: task.id, of: ada) }
                            try await patiently {
                                switch (worker + round) % 3 {
                                case 0: try await store.completeTask(task.id, of: ada, policy: policy)
                                case 1: try await store.failTask(task.id, of: ada, message: "test", policy: policy)
                                default: try await store.cancelTask(task.id, of: ada, policy: policy)
                                }
                            }
                        }
                        return most
                    }
                }
                return try await group.reduce(0, max)
            }
            let rows = try await one.workRows(of: ada)
            #expect((1...3).contains(most))
            #expect(rows.tasks.allSatisfy { $0.task.isFinished })
            #expect(rows.tasks.count >= 3)
            let remaining = try #require(rows.user?.computeUnitsRemaining)
            #expect(remaining >= 0)
            #expect(rows.ledger.allSatisfy { $0.entry.balance >= 0 })
            #expect(rows.ledgerSum == remaining)
            #expect(rows.unitsCharged == rows.usageSum)
            #expect(rows.tasks.reduce(0) { $0 + $1.task.computeUnitsConsumed } == rows.usageSum)
            #expect(rows.usage.reduce(0) { $0 + $1.tasksExecuted } == rows.tasks.count)
            #expect(Set(rows.ledger.compactMap(\.entry.taskID)).count == rows.tasks.count)
        }
    }
}

/// As a worker does: where so many wait for one account, a lock may not be had in time, and the attempt is made again.
@discardableResult
private func patiently<Result>(_ body: () async throws -> Result) async throws -> Result {
    for _ in 0..<9 {
        do {
            return try await body()
        } catch StoreError.busy {
            continue
        }
    }
    return try await body()
}
