import Billing
import Databases
import Foundation
import Selextract
import Storage
import TestSupport
import Testing

@Suite("Usage in a database of its own") struct UsageDatabaseTests {
    private static let day = UsageDay(containing: beforePurchase)

    private func withDatabases(
        _ kind: DatabaseKind, _ body: (_ main: TestDatabase, _ usage: TestDatabase, Store) async throws -> Void
    ) async throws {
        try await kind.withDatabases { main, second in
            // The second is a main one: usage gets a database that is empty.
            try await second.emptied()
            let store = try main.open { $0.usageURL = second.url }
            try await store.prepare()
            try await store.usageDatabase?.migrate()
            try await body(main, second, store)
            await store.close()
        }
    }

    private func counted(_ store: Store, of user: UUID = ada) async throws -> [Int] {
        try await store.primary.usage(of: user, from: .epoch, through: .farOff).map(\.apiCalls)
    }

    private static let waiting = "select cast(count(*) as varchar(9)) from usage_analytics"

    @Test("What is counted is moved, and added to what is there", arguments: DatabaseKind.allCases)
    func moved(kind: DatabaseKind) async throws {
        try await withDatabases(kind) { main, usage, store in
            for round in 1...3 {
                try await store.add([
                    UsageAddition(userID: ada, date: Self.day, tasksExecuted: 1, computeUnitsUsed: 5, apiCalls: 2),
                    UsageAddition(userID: ada, date: Self.day.adding(days: 1), apiCalls: 1),
                ])
                // Told before and after alike.
                #expect(try await counted(store) == [2 * round, round])
                #expect(try await store.moveUsage() == 2)
                #expect(try await counted(store) == [2 * round, round])
            }
            #expect(try await main.values(Self.waiting) == ["0"])
            let sums =
                "select cast(tasks_executed + compute_units_used as varchar(9)) from usage_analytics order by date"
            #expect(try await usage.values(sums) == ["18", "0"])
            #expect(try await store.moveUsage() == 0)
        }
    }

    @Test("What a process left half done is done once", arguments: DatabaseKind.allCases)
    func interrupted(kind: DatabaseKind) async throws {
        try await withDatabases(kind) { main, usage, store in
            try await store.add([UsageAddition(userID: ada, date: Self.day, apiCalls: 1)])
            try await store.moveUsage()
            let batch = try await usage.values("select cast(id as varchar(36)) from usage_batches")[0]
            func leave(_ batch: String, _ calls: Int) async throws {
                try await main.execute(
                    """
                    insert into usage_transfers (user_id, date, api_calls, batch)
                    values ('\(ada.uuidString.lowercased())', '\(Self.day)', \(calls), '\(batch)')
                    """)
            }
            // Written there and not removed here.
            try await leave(batch, 1)
            #expect(try await counted(store) == [1])
            try await store.moveUsage()
            #expect(try await counted(store) == [1])
            // Gathered here and not written there. What came later waits behind it.
            try await leave(UUID().uuidString.lowercased(), 10)
            try await store.add([UsageAddition(userID: ada, date: Self.day, apiCalls: 100)])
            #expect(try await counted(store) == [111])
            try await store.moveUsage()
            try await store.moveUsage()
            #expect(try await counted(store) == [111])
            #expect(try await main.values(Self.waiting) == ["0"])
            #expect(try await main.values("select cast(count(*) as varchar(9)) from usage_transfers") == ["0"])
        }
    }

    @Test("Two processes move while others count, and nothing is lost or doubled", arguments: DatabaseKind.allCases)
    func atOnce(kind: DatabaseKind) async throws {
        try await withDatabases(kind) { main, usage, store in
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            let other = try main.open { $0.usageURL = usage.url }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<30 {
                    group.addTask {
                        try await store.add([ada, bob].map { UsageAddition(userID: $0, date: Self.day, apiCalls: 1) })
                    }
                }
                for mover in [store, other] {
                    group.addTask { for _ in 0..<10 { try await mover.moveUsage() } }
                }
                try await group.waitForAll()
            }
            try await store.moveUsage()
            await other.close()
            #expect(try await counted(store) == [30])
            #expect(try await counted(store, of: bob) == [30])
            #expect(try await main.values(Self.waiting) == ["0"])
        }
    }

    @Test("An account that is deleted, by whomever, is forgotten there, too", arguments: DatabaseKind.allCases)
    func deleted(kind: DatabaseKind) async throws {
        try await withDatabases(kind) { main, usage, store in
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            try await store.add([ada, bob].map { UsageAddition(userID: $0, date: Self.day, apiCalls: 1) })
            try await store.moveUsage()
            // Some wait while the account goes.
            try await store.add([UsageAddition(userID: ada, date: Self.day, apiCalls: 1)])
            try await main.execute("delete from users where email = 'ada@example.com'")
            try await store.moveUsage()
            #expect(
                try await usage.values("select cast(user_id as varchar(36)) from usage_analytics") == [
                    bob.uuidString.lowercased()
                ])
        }
    }

    @Test("While it is away, what is counted waits", arguments: DatabaseKind.allCases)
    func away(kind: DatabaseKind) async throws {
        try await withDatabases(kind) { main, usage, store in
            // A server that is not there; a file in a folder that is not there is refused when it is opened.
            let lost = try main.open { $0.usageURL = "postgresql://127.0.0.1:1/usage" }
            try await lost.add([UsageAddition(userID: ada, date: Self.day, apiCalls: 3)])
            await #expect(throws: StoreError.self) { try await lost.moveUsage() }
            await lost.close()
            #expect(try await counted(store) == [3])
            try await store.moveUsage()
            #expect(try await counted(store) == [3])
            #expect(try await usage.values("select cast(api_calls as varchar(9)) from usage_analytics") == ["3"])
        }
    }

    @Test("A main database is refused by name", arguments: DatabaseKind.allCases)
    func main(kind: DatabaseKind) async throws {
        try await kind.withDatabases { main, second in
            let store = try main.open { $0.usageURL = second.url }
            let error = await thrown(StoreError.self) { try await store.usageDatabase?.migrate() }
            #expect(error?.description.contains("USAGE_DATABASE_URL leads to a main database") == true)
            await #expect(throws: StoreError.self) { try await store.usageDatabase?.check() }
            await store.close()
            // The same address means that there is none.
            let same = try main.open { $0.usageURL = main.url }
            #expect(same.usageDatabase == nil)
            await same.close()
        }
    }
}

extension TestDatabase {
    /// Takes away all that the migrations have made.
    fileprivate func emptied() async throws {
        switch kind {
        case .postgreSQL: try await execute("drop schema public cascade; create schema public")
        case .sqlite:
            let path = String(url.dropFirst("sqlite:".count))
            for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        }
    }
}
