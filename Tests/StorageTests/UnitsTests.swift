import Accounts
import Billing
import Databases
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite("Units")
struct UnitsTests {
    private let policy = BillingPolicy()

    private func grant(
        _ store: Store, _ kind: UnitRequest.Kind, _ units: Int, _ user: UUID = ada
    ) async throws -> LedgerEntry {
        let request = UnitRequest(userID: user, kind: kind, units: units)
        return try await store.transaction { try await Fold($0, policy: policy).grant(request) }
    }

    @Test("A task is charged once, and a shortfall is told", arguments: DatabaseKind.allCases)
    func once(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(beforePurchase)) { store in
            try await store.prepare()
            let task = UUID()
            let first = try await grant(store, .consume(task: task, inFull: false), 30)
            #expect((first.units, first.balance, first.shortfall) == (-30, 70, 0))
            let again = try await grant(store, .consume(task: task, inFull: false), 30)
            #expect(again == first)
            let last = try await grant(store, .consume(task: UUID(), inFull: false), 90)
            #expect((last.units, last.balance, last.shortfall) == (-70, 0, 20))
            let nothing = try await grant(store, .consume(task: UUID(), inFull: false), 5)
            #expect((nothing.units, nothing.balance, nothing.shortfall) == (0, 0, 5))
            #expect(try await store.user(id: ada)?.computeUnitsRemaining == 0)
            #expect(try await store.ledger(user: ada).map(\.entry.kind) == [.grant, .consume, .consume, .consume])
        }
    }

    @Test("More than is left is refused, and nothing changes", arguments: DatabaseKind.allCases)
    func refused(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(beforePurchase)) { store in
            try await store.prepare()
            await #expect(throws: UnitRefusal.insufficient(requested: 101, remaining: 100)) {
                _ = try await grant(store, .consume(task: UUID(), inFull: true), 101)
            }
            await #expect(throws: UnitRefusal.invalid(units: -1)) {
                _ = try await grant(store, .consume(task: UUID(), inFull: false), -1)
            }
            await #expect(throws: UnitRefusal.insufficient(requested: 200, remaining: 100)) {
                _ = try await grant(store, .adjust(reason: "test"), -200)
            }
            await #expect(throws: UnitRefusal.invalid(units: 0)) {
                _ = try await grant(store, .adjust(reason: "test"), 0)
            }
            let error = await storeError { _ = try await grant(store, .adjust(reason: "test"), 1, bob) }
            #expect(error == .notFound("account \(bob)"))
            #expect(try await store.ledger(user: ada).isEmpty)
            #expect(try await store.user(id: ada)?.computeUnitsRemaining == 100)
        }
    }

    @Test("What another program wrote comes first in the ledger", arguments: DatabaseKind.allCases)
    func external(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(beforePurchase)) { store in
                try await store.prepare()
                try await database.execute("update users set compute_units_remaining = 60")
                _ = try await grant(store, .consume(task: UUID(), inFull: true), 10)
                try await database.execute("update users set compute_units_remaining = 500")
                _ = try await grant(store, .adjust(reason: "gift"), 5)
                let ledger = try await store.ledger(user: ada).map(\.entry)
                #expect(ledger.map(\.kind) == [.grant, .external, .consume, .external, .adjust])
                #expect(ledger.map(\.units) == [100, -40, -10, 450, 5])
                #expect(ledger.map(\.balance) == [100, 60, 50, 500, 505])
                #expect(try await store.user(id: ada)?.computeUnitsRemaining == 505)
            }
        }
    }

    @Test("Twenty that charge at once never take more than there is", arguments: DatabaseKind.allCases)
    func parallel(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(beforePurchase)) { store in
            try await store.prepare()
            let taken = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await -grant(store, .consume(task: UUID(), inFull: false), 7).units }
                }
                return try await group.reduce(0, +)
            }
            #expect(taken == 100)
            let ledger = try await store.ledger(user: ada)
            #expect(ledger.reduce(0) { $0 + $1.entry.units } == 0)
            #expect(ledger.allSatisfy { $0.entry.balance >= 0 })
            #expect(try await store.buckets(user: ada).first?.consumed == 100)
        }
    }

    @Test("Charges follow a subscription that moves to another account", arguments: DatabaseKind.allCases)
    func moved(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
            _ = try await grant(store, .consume(task: UUID(), inFull: true), 300)
            try await store.bind(subscription: "910001", to: bob, reason: nil, policy: policy)
            #expect(try await store.user(id: bob)?.computeUnitsRemaining == 700)
            #expect(try await store.user(id: ada)?.computeUnitsRemaining == 100)
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems.isEmpty)
        }
    }

    @Test("A time line tells each event, its rules, and what it changed", arguments: DatabaseKind.allCases)
    func timeLine(_ kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
            _ = try await grant(store, .consume(task: UUID(), inFull: true), 300)
            let line = try await TimeLine(account: ada, store: store, policy: policy)
            let events = line.items.compactMap { item -> (EventRecord, [String], Int)? in
                guard case .event(let record, let reasons, let entries) = item.item else { return nil }
                return (record, reasons.map(\.rule), entries.reduce(0) { $0 + $1.entry.units })
            }
            #expect(
                events.map(\.0.name) == [
                    "order_created", "subscription_created", "subscription_payment_success", "subscription_updated",
                ])
            #expect(events.map(\.1) == [["R18"], ["R7", "R6", "R12"], ["R12"], ["R7", "R12"]])
            #expect(events.map(\.2) == [0, 900, 0, 0])
            let units = line.items.reduce(0) { sum, item in
                switch item.item {
                case .event(_, _, let entries): sum + entries.reduce(0) { $0 + $1.entry.units }
                case .entry(let record): sum + record.entry.units
                case .act, .pending, .overwrite: sum
                }
            }
            #expect(units == 700)
            let ofSubscription = try await TimeLine(subscription: "910001", store: store, policy: policy)
            #expect(ofSubscription.user?.id == ada)
            let error = await storeError { _ = try await TimeLine(subscription: "1", store: store, policy: policy) }
            #expect(error == .notFound("subscription “1”"))
        }
    }
}
