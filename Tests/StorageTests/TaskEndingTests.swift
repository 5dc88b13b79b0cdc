import Accounts
import Billing
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct TaskEndingTests {
    private let policy = BillingPolicy()

    @Test(arguments: DatabaseKind.allCases)
    func `each way to end a task that ran charges its started minutes, counts the day and leaves a log`(
        kind: DatabaseKind
    ) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            let ends: [(ScrapingTask.Status, TaskLog.Level, (UUID) async throws -> ScrapingTask)] = [
                (.completed, .info, { try await store.completeTask($0, of: ada, policy: policy) }),
                (.failed, .error, { try await store.failTask($0, of: ada, message: "HTTP 500", policy: policy) }),
                (.cancelled, .info, { try await store.cancelTask($0, of: ada, policy: policy) }),
            ]
            for (number, (status, level, end)) in ends.enumerated() {
                let task = try await store.runningTask(of: ada)
                clock.advance(by: 120.5)
                let ended = try await end(task.id)
                #expect((ended.status, ended.computeUnitsConsumed) == (status, 3))
                let rows = try await store.workRows(of: ada)
                #expect(rows.user?.computeUnitsRemaining == 100 - 3 * (number + 1))
                #expect(rows.usage.map(\.tasksExecuted) == [number + 1])
                #expect(rows.usageSum == 3 * (number + 1))
                let entry = try #require(rows.ledger.last?.entry)
                #expect((entry.kind, entry.units, entry.taskID, entry.shortfall) == (.consume, -3, task.id, 0))
                let log = try #require(rows.tasks.first { $0.id == task.id }?.logs.first)
                #expect((log.level, log.timestamp) == (level, clock.now))
                #expect(log.metadata?["compute_units"]?.integer == 3)
                #expect(log.metadata?["duration_seconds"] == MetadataValue(120.5))
                clock.advance(by: 1)
            }
            #expect(try await store.today(of: ada)?.date == UsageDay("2026-10-01"))
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a task that never started ends for nothing and counts as no use`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(beforePurchase)) { store in
            try await store.prepare()
            let cancelled = try await store.createTask(.named("one"), for: ada, policy: policy)
            #expect(try await store.cancelTask(cancelled.id, of: ada, policy: policy).status == .cancelled)
            let failed = try await store.createTask(.named("two"), for: ada, policy: policy)
            let ended = try await store.failTask(failed.id, of: ada, message: "no worker", policy: policy)
            #expect((ended.errorMessage, ended.computeUnitsConsumed) == ("no worker", 0))
            let rows = try await store.workRows(of: ada)
            #expect(rows.user?.computeUnitsRemaining == 100)
            #expect(rows.usage.isEmpty && rows.unitsCharged == 0)
            #expect(rows.tasks.allSatisfy { $0.logs.count == 1 })
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `the day is the day of the end, in UTC`(kind: DatabaseKind) async throws {
        let clock = TestClock(.utc("2026-10-01 23:59:00"))
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            let task = try await store.runningTask(of: ada)
            clock.set(.utc("2026-10-02 00:00:00"))
            try await store.completeTask(task.id, of: ada, policy: policy)
            let usage = try await store.primary.usage(of: ada, from: .epoch, through: .farOff)
            #expect(usage.map(\.date) == [UsageDay("2026-10-02")])
            #expect(usage.map(\.computeUnitsUsed) == [1])
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `more than what is left takes what is left, and records the shortfall`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            let long = try await store.runningTask(of: ada)
            clock.advance(by: 130 * 60)
            let ended = try await store.completeTask(long.id, of: ada, policy: policy)
            #expect(ended.computeUnitsConsumed == 100)
            let rows = try await store.workRows(of: ada)
            #expect(rows.user?.computeUnitsRemaining == 0)
            #expect(rows.ledger.last?.entry.shortfall == 30)
            #expect(rows.usageSum == 100)
            #expect(rows.tasks.first?.logs.first?.metadata?["shortfall"]?.integer == 30)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a task ends though its account is inactive, has no units left or waits for payment`(
        kind: DatabaseKind
    ) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                try await store.receive([ProviderSubscription.purchase().event0])
                let tasks = [
                    try await store.runningTask(of: ada), try await store.runningTask(of: ada),
                    try await store.runningTask(of: ada),
                ]
                clock.advance(by: 60)
                try await database.execute("update users set is_active = false")
                #expect(
                    try await store.completeTask(tasks[0].id, of: ada, policy: policy).computeUnitsConsumed == 1)
                // A month later nothing was paid: the reset date is past.
                clock.set(.utc("2026-11-12 10:00:00"))
                let waiting = try await store.completeTask(tasks[1].id, of: ada, policy: policy)
                #expect(waiting.computeUnitsConsumed == 999)
                #expect(try await store.user(id: ada).map { $0.computeUnitsResetDate < clock.now } == true)
                let empty = try await store.failTask(tasks[2].id, of: ada, message: "late", policy: policy)
                #expect((empty.status, empty.computeUnitsConsumed) == (.failed, 0))
                let rows = try await store.workRows(of: ada)
                #expect(rows.ledgerSum == rows.user?.computeUnitsRemaining)
                #expect(rows.usageSum == rows.unitsCharged)
                #expect(rows.usage.reduce(0) { $0 + $1.tasksExecuted } == 3)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `ending a task twice at once charges it once`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            let task = try await store.runningTask(of: ada)
            clock.advance(by: 300)
            let refused = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        await thrown(IllegalTransition.self) {
                            if number.isMultiple(of: 2) {
                                try await store.completeTask(task.id, of: ada, policy: policy)
                            } else {
                                try await store.cancelTask(task.id, of: ada, policy: policy)
                            }
                        } != nil
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(refused == 7)
            let rows = try await store.workRows(of: ada)
            #expect((rows.user?.computeUnitsRemaining, rows.unitsCharged, rows.usageSum) == (95, 5, 5))
            #expect(rows.usage.map(\.tasksExecuted) == [1])
            #expect(rows.tasks.first?.logs.count == 1)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a task that another program starts anew is not charged again`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                let task = try await store.runningTask(of: ada)
                clock.advance(by: 300)
                try await store.completeTask(task.id, of: ada, policy: policy)
                try await database.execute("update tasks set status = 'running', completed_at = null")
                clock.advance(by: 300)
                let again = try await store.completeTask(task.id, of: ada, policy: policy)
                #expect(again.computeUnitsConsumed == 5)
                let rows = try await store.workRows(of: ada)
                #expect((rows.user?.computeUnitsRemaining, rows.unitsCharged, rows.usageSum) == (95, 5, 5))
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a message or a path that is too long does not keep a task from ending`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(beforePurchase)) { store in
            try await store.prepare()
            let first = try await store.runningTask(of: ada)
            let path = String(repeating: "p", count: 501)
            let completed = try await store.completeTask(first.id, of: ada, resultFilePath: path, policy: policy)
            #expect((completed.status, completed.resultFilePath) == (.completed, nil))
            let log = try await store.primary.logs(task: first.id, of: ada, limit: 1, before: nil).first
            #expect(log?.level == .warning)
            #expect(log?.metadata?["result_file_path"]?.text == path)

            let second = try await store.runningTask(of: ada)
            let failed = try await store.failTask(
                second.id, of: ada, message: "\0" + String(repeating: "e", count: 20_000), policy: policy)
            #expect(failed.errorMessage?.count == 10_000)
            #expect(failed.errorMessage?.first == "\u{FFFD}")
        }
    }
}
