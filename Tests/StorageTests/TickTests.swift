import Accounts
import Billing
import Databases
import Foundation
import Payloads
import Selextract
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("The clock")
struct TickTests {
    private let policy = BillingPolicy()

    @Test(
        "A month that begins refills the account, in chunks, whenever the clock comes to it",
        arguments: DatabaseKind.allCases)
    func months(_ kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withStore(clock: clock) { store in
            for number in 0..<7 {
                let user = try await store.createAccount(email: "\(number)@example.com", id: nil, policy: policy)
                _ = try await store.adjust(user.id, units: -40, reason: "test", policy: policy)
            }
            #expect(try await Tick(store, policy: policy, chunk: 3).run() == Tick.Report())
            clock.set(.utc("2026-11-01 00:00:00"))
            let report = try await Tick(store, policy: policy, chunk: 3).run()
            #expect(report.accounts == 7)
            #expect(report.changed == 7)
            let users = try await store.primary.users(limit: 10, before: nil)
            #expect(users.allSatisfy { $0.computeUnitsRemaining == 100 })
            #expect(users.allSatisfy { $0.computeUnitsResetDate == .utc("2026-12-01 00:00:00") })
            #expect(try await Tick(store, policy: policy).run() == Tick.Report())
        }
    }

    @Test("A dry run tells what is due and changes nothing", arguments: DatabaseKind.allCases)
    func dryRun(_ kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            let bodies = try Fixtures.scenario("first-purchase").map(\.body)
            try await store.receive(bodies)
            clock.set(.utc("2026-11-13 00:00:00"))
            let before = try await store.picture(of: ada)
            let ledger = try await store.ledger(user: ada)
            let report = try await Tick(store, policy: policy).run(dryRun: true)
            #expect(report.accounts == 1)
            #expect(try await store.picture(of: ada) == before)
            #expect(try await store.ledger(user: ada) == ledger)
        }
    }

    @Test("An account that cannot be folded stays due and holds up nobody", arguments: DatabaseKind.allCases)
    func broken(_ kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.mapPlans()
                for (id, email) in [(ada, "ada@example.com"), (bob, "bob@example.com")] {
                    _ = try await store.createAccount(email: email, id: id, policy: policy)
                }
                clock.set(afterPurchase)
                try await store.receive([ProviderSubscription.purchase().event0])
                // What no program of ours writes.
                try await database.execute("update webhook_events set snapshot_second = 1, event_name = null")
                clock.set(.utc("2026-11-13 00:00:00"))
                let report = try await Tick(store, policy: policy).run()
                #expect(report.failures == 1)
                #expect(report.accounts == 1)
                #expect(try await store.user(id: bob)?.computeUnitsResetDate == .utc("2026-12-01 00:00:00"))
                let again = try await Tick(store, policy: policy).run()
                #expect(again.failures == 1)

                // The bytes are still there: a rebuild repairs it, and the clock goes on.
                let rebuilt = try await Rebuild(store, policy: policy).run(check: false)
                #expect(rebuilt.differences.contains { $0.subject == .event })
                #expect(try await Tick(store, policy: policy).run().failures == 0)
                #expect(try await store.user(id: ada)?.subscriptionTier == "starter")
            }
        }
    }

    @Test("On PostgreSQL one instance at a time runs the clock")
    func oneInstance() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await database.withStore { first in
                try await database.withStore { second in
                    let report = try await first.transaction { transaction in
                        #expect(try await transaction.holdsClock())
                        return try await Tick(second, policy: policy).run()
                    }
                    #expect(report.isElsewhere)
                    #expect(try await Tick(second, policy: policy).run().isElsewhere == false)
                }
            }
        }
    }

    @Test("A clock that was broken off goes on where it stopped", arguments: DatabaseKind.allCases)
    func brokenOff(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let clock = TestClock(beforePurchase)
            let run = Mutex<Task<Tick.Report, any Error>?>(nil)
            let chunks = Atomic(0)
            let store = try database.open(clock: clock) {
                $0.observe = { sql, _, _ in
                    guard sql.hasPrefix("update users"), chunks.add(1, ordering: .relaxed).newValue == 3 else { return }
                    run.withLock { $0?.cancel() }
                }
            }
            for number in 0..<20 {
                _ = try await store.createAccount(email: "\(number)@example.com", id: nil, policy: policy)
            }
            clock.set(.utc("2026-11-01 00:00:00"))
            func done() async throws -> Int {
                try await store.primary.users(limit: 100, before: nil)
                    .count { $0.computeUnitsResetDate == .utc("2026-12-01 00:00:00") }
            }
            chunks.store(0, ordering: .relaxed)
            let broken = run.withLock { run in
                let task = Task { try await Tick(store, policy: policy, chunk: 2).run() }
                run = task
                return task
            }
            await #expect(throws: CancellationError.self) { try await broken.value }
            #expect((1..<20).contains(try await done()))
            _ = try await Tick(store, policy: policy, chunk: 2).run()
            #expect(try await done() == 20)
            await store.close()
        }
    }

    @Test("A failed event is tried again when its time has come, later and later", arguments: DatabaseKind.allCases)
    func failed(_ kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            // The account is not due any more: looking at it for another reason would decide its event, too.
            _ = try await Tick(store, policy: policy).run()
            var event = InboxEvent(ProviderSubscription.purchase().event0)
            (event.outcome, event.reason) = (.failed, "internal_error")
            let stored = event
            let id = try await store.transaction { try await $0.insert([stored])[0].eventID }
            #expect(try await Tick(store, policy: policy).run().retried == 0)
            var waits: [TimeInterval] = []
            for _ in 0..<8 {
                try await store.transaction { try await $0.postpone([id], at: clock.now) }
                let next = try #require(try await store.eventRecord(id)?.nextAttemptAt)
                waits.append(next.timeIntervalSince(clock.now))
            }
            #expect(waits == [120, 240, 480, 960, 1920, 3600, 3600, 3600])
            clock.advance(by: 3600)
            #expect(try await Tick(store, policy: policy).run().retried == 1)
            #expect(try await store.eventRecord(id)?.outcome == .applied)
            #expect(try await store.user(id: ada)?.subscriptionTier == "starter")
        }
    }
}
