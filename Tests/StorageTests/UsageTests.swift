import Databases
import Foundation
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct UsageTests {
    @Test(arguments: DatabaseKind.allCases)
    func `usage is added up by account and day, many rows a statement`(kind: DatabaseKind) async throws {
        let statements = StatementLog()
        try await kind.withDatabase { database in
            let store = try database.open { $0.observe = { sql, _, _ in statements.note(sql) } }
            try await store.prepare()
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            let day = UsageDay(containing: beforePurchase)
            let additions = (0..<600).map { number in
                UsageAddition(
                    userID: number.isMultiple(of: 2) ? ada : bob, date: day.adding(days: number % 3),
                    tasksExecuted: 1, computeUnitsUsed: 2, apiCalls: -5)
            }
            for _ in 0..<2 { try await store.add(additions + [UsageAddition(userID: UUID(), date: day, apiCalls: 1)]) }
            #expect(statements.count { $0.contains("insert into usage_analytics") } == 2)
            try await store.add([UsageAddition]())
            #expect(statements.count { $0.contains("insert into usage_analytics") } == 2)
            for user in [ada, bob] {
                let rows = try await store.primary.usage(of: user, from: day, through: day.adding(days: 1))
                #expect(rows.map(\.date) == [day, day.adding(days: 1)])
                #expect(rows.map(\.tasksExecuted) == [200, 200])
                #expect(rows.map(\.computeUnitsUsed) == [400, 400])
                #expect(rows.map(\.apiCalls) == [0, 0])
            }
            await store.close()
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `batches in parallel lose nothing`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            try await store.prepare()
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            let day = UsageDay(containing: beforePurchase)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    let users = number.isMultiple(of: 2) ? [ada, bob] : [bob, ada]
                    group.addTask {
                        try await store.add(users.map { UsageAddition(userID: $0, date: day, apiCalls: 1) })
                    }
                }
                try await group.waitForAll()
            }
            for user in [ada, bob] {
                #expect(try await store.primary.usage(of: user, from: day, through: day).map(\.apiCalls) == [20])
            }
        }
    }
}
