import Accounts
import Billing
import Databases
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct TaskTransitionTests {
    private let policy = BillingPolicy()

    @Test(arguments: DatabaseKind.allCases)
    func `a task is queued, started, makes progress and ends, each at its time`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            let id = try await store.createTask(.named("offers"), for: ada, policy: policy).id
            #expect(try await store.queueTask(id, of: ada).status == .queued)
            clock.advance(by: 10)
            let started = try await store.startTask(id, of: ada)
            #expect((started.status, started.startedAt) == (.running, clock.now))
            #expect(try await store.reportProgress(40, ofTask: id, of: ada).progress == 40)
            clock.advance(by: 90)
            let ended = try await store.completeTask(id, of: ada, resultFilePath: "results/1.json", policy: policy)
            #expect((ended.status, ended.completedAt, ended.progress) == (.completed, clock.now, 100))
            #expect((ended.resultFilePath, ended.computeUnitsConsumed) == ("results/1.json", 2))
            #expect(try await store.task(id, of: ada) == ended)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what a task's status does not allow is an error, and writes nothing`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(beforePurchase)) { store in
            try await store.prepare()
            let steps: [(ScrapingTask.Status, (UUID) async throws -> Void)] = [
                (.queued, { _ = try await store.queueTask($0, of: ada) }),
                (.running, { _ = try await store.startTask($0, of: ada) }),
                (.completed, { _ = try await store.completeTask($0, of: ada, policy: policy) }),
                (.failed, { _ = try await store.failTask($0, of: ada, message: "no", policy: policy) }),
                (.cancelled, { _ = try await store.cancelTask($0, of: ada, policy: policy) }),
            ]
            func refuse(_ id: UUID, _ from: ScrapingTask.Status) async throws {
                let before = try await store.workRows(of: ada)
                for (to, step) in steps where !from.canBecome(to) {
                    #expect(await thrown(IllegalTransition.self) { try await step(id) } == .init(from: from, to: to))
                }
                if from != .running {
                    let progress = await thrown(ProgressError.self) {
                        _ = try await store.reportProgress(1, ofTask: id, of: ada)
                    }
                    #expect(progress == .notRunning(from))
                }
                #expect(try await store.workRows(of: ada) == before)
            }
            for (end, step) in steps.suffix(3) {
                let id = try await store.createTask(.named("offers"), for: ada, policy: policy).id
                try await refuse(id, .pending)
                try await store.queueTask(id, of: ada)
                try await refuse(id, .queued)
                try await store.startTask(id, of: ada)
                try await refuse(id, .running)
                let range = await thrown(ProgressError.self) {
                    _ = try await store.reportProgress(101, ofTask: id, of: ada)
                }
                #expect(range == .outOfRange(101))
                try await step(id)
                try await refuse(id, end)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `another account's task is as if it did not exist`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            try await store.prepare()
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            let task = try await store.runningTask(of: ada)
            let missing = StoreError.notFound("task “\(task.id.uuidString.lowercased())”")
            let before = try await store.workRows(of: bob)
            #expect(await storeError { _ = try await store.queueTask(task.id, of: bob) } == missing)
            #expect(await storeError { _ = try await store.startTask(task.id, of: bob) } == missing)
            #expect(await storeError { _ = try await store.reportProgress(5, ofTask: task.id, of: bob) } == missing)
            #expect(await storeError { _ = try await store.completeTask(task.id, of: bob, policy: policy) } == missing)
            #expect(await storeError { _ = try await store.cancelTask(task.id, of: bob, policy: policy) } == missing)
            #expect(try await store.task(task.id, of: bob) == nil)
            #expect(try await store.primary.logs(task: task.id, of: bob, limit: 9, before: nil) == [])
            let log = TaskLog(id: UUID(), taskID: task.id, message: "not his", timestamp: .utc("2026-10-01 00:00:00"))
            #expect(try await store.add([log], of: bob) == 0)
            #expect(try await store.workRows(of: bob) == before)
            #expect(try await store.task(task.id, of: ada) == task)
        }
    }
}
