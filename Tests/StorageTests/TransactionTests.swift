import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct TransactionTests {
    struct Refusal: Error {}

    @Test(arguments: DatabaseKind.allCases)
    func `a transaction that throws leaves nothing behind, and the next one works`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            let before = try await store.picture(of: ada)
            let event = InboxEvent(ProviderSubscription.purchase().event0)
            await #expect(throws: Refusal.self) {
                try await store.transaction { transaction in
                    _ = try await Fold(transaction, policy: .init()).receive([event])
                    throw Refusal()
                }
            }
            #expect(try await store.primary.eventRecords(EventFilter(), limit: 10, before: nil).isEmpty)
            #expect(try await store.picture(of: ada) == before)
            #expect(try await store.ledger(user: ada).isEmpty)
            #expect(try await store.receive([event.delivery.body]).map(\.outcome) == [.applied])
        }
    }

    @Test("On SQLite who waits for others to write waits until his deadline, and no longer")
    func turn() async throws {
        try await DatabaseKind.sqlite.withStore { store in
            let error = try await store.transaction { _ in
                let limits = TransactionLimits(deadline: .now + .milliseconds(50), statement: .seconds(1))
                return await storeError { try await store.transaction(limits) { _ in } }
            }
            guard case .unavailable? = error else { throw try #require(error) }
            try await store.transaction { _ in }
        }
    }

    @Test("What pages read on SQLite keeps nobody from writing, and is one moment's")
    func pages() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await database.withStore { store in
                let pages = try #require(try DatabaseConfiguration(url: database.url).openForPages())
                try await pages.transaction { transaction in
                    let before = try await transaction.users([ada])
                    _ = try await store.createUser(email: "ada@example.com", id: ada)
                    #expect(try await transaction.users([ada]) == before)
                }
                #expect(try await pages.user(id: ada)?.email == "ada@example.com")
                await pages.close()
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a transaction that the database refuses leaves nothing behind`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            let event = InboxEvent(ProviderSubscription.purchase().event0)
            let error = await storeError {
                try await store.transaction { transaction in
                    let id = try await transaction.insert([event])[0].eventID
                    // There is no such account.
                    try await transaction.save([EventDecision(eventID: id, outcome: .applied, reason: nil, userID: bob)]
                    )
                }
            }
            guard case .failed = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(try await store.primary.eventRecords(EventFilter(), limit: 10, before: nil).isEmpty)
            _ = try await store.createUser(email: "ada@example.com", id: ada)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a cancelled transaction leaves nothing behind`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            let event = InboxEvent(ProviderSubscription.purchase().event0)
            let (inside, continuation) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                try await store.transaction { transaction in
                    _ = try await transaction.insert([event])
                    continuation.finish()
                    while !Task.isCancelled { await Task.yield() }
                    _ = try await transaction.insert([event])
                }
            }
            for await _ in inside {}
            task.cancel()
            await #expect(throws: (any Error).self) { try await task.value }
            let receipts = try await store.receive([event.delivery.body])
            #expect(receipts.map(\.isDuplicate) == [false])
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `nobody sees what is not committed`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            let event = InboxEvent(ProviderSubscription.purchase().event0)
            let seen = try await store.transaction { transaction in
                _ = try await transaction.insert([event])
                return try await store.primary.eventRecords(EventFilter(), limit: 10, before: nil).count
            }
            #expect(seen == 0)
            #expect(try await store.primary.eventRecords(EventFilter(), limit: 10, before: nil).count == 1)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `each statement is observed, without values`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let seen = Mutex<[String]>([])
            let errors = Mutex<[String]>([])
            let store = try database.open {
                $0.observe = { sql, duration, error in
                    seen.withLock { $0.append(sql) }
                    if let error { errors.withLock { $0.append(error) } }
                    precondition(duration >= .zero)
                }
            }
            _ = try await store.createUser(email: "secret@example.com", id: ada)
            await #expect(throws: StoreError.self) {
                try await store.createUser(email: "secret2@example.com", id: ada)
            }
            _ = try await store.users(email: "secret@example.com")
            await store.close()
            #expect(errors.withLock { !$0.isEmpty })
            let statements = seen.withLock { $0 } + errors.withLock { $0 }
            #expect(statements.count >= 3)
            #expect(statements.contains { $0.hasPrefix("insert into users") })
            #expect(
                !statements.contains { $0.contains("secret") || $0.lowercased().contains(ada.uuidString.lowercased()) })
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a store that was closed is not available`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let store = try database.open()
            try await store.check()
            await store.close()
            for error in [
                await storeError { _ = try await store.primary.plans() },
                await storeError { try await store.transaction { _ in } },
            ] {
                guard case .unavailable = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `the database's clock is the moment, in UTC`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            let (first, second) = try await store.transaction { (try await $0.now(), try await $0.now()) }
            #expect(abs(first.timeIntervalSinceNow) < 60)
            #expect(first <= second)
        }
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            let now = try await store.transaction { try await $0.now() }
            #expect(now == afterPurchase)
        }
    }
}
