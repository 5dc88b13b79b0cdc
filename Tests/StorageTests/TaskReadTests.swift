import Accounts
import Billing
import Databases
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct TaskReadTests {
    private let policy = BillingPolicy()

    @Test(arguments: DatabaseKind.allCases)
    func `tasks are found by what their configuration contains, by pages`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                _ = try await store.createUser(email: "bob@example.com", id: bob)
                for (owner, name, config) in [
                    (ada, "a", #"{"target_url": "https://a.example", "retries": 1.0, "fields": [{"name": "price"}]}"#),
                    (
                        bob, "b",
                        #"{"target_url": "https://a.example", "fields": [{"name": "title"}, {"name": "price"}]}"#
                    ),
                    (ada, "c", #"{"target_url": "https://c.example", "retries": 1, "deep": {"a": [1, [2]]}}"#),
                    (ada, "d", #"["https://a.example"]"#),
                ] {
                    try await database.execute(
                        """
                        insert into tasks (user_id, name, config, created_at)
                        values ('\(owner.lowercased)', '\(name)', '\(config)', '2026-10-01T00:00:0\(name == "a" ? 1 : 2).000Z')
                        """)
                }
                func found(_ condition: String, of user: UUID? = nil) async throws -> Set<String> {
                    let condition = try MetadataValue(json: Data(condition.utf8))
                    let all = try await store.primary.tasks(of: user, where: condition, limit: 9, before: nil)
                    var (paged, cursor): ([ScrapingTask], Cursor?) = ([], nil)
                    while let task = try await store.primary.tasks(of: user, where: condition, limit: 1, before: cursor)
                        .first
                    {
                        paged.append(task)
                        cursor = Cursor(at: task.createdAt, id: task.id)
                    }
                    #expect(paged == all.rows)
                    return Set(all.map(\.name))
                }
                #expect(try await found(#"{"target_url": "https://a.example"}"#) == ["a", "b"])
                #expect(try await found(#"{"target_url": "https://a.example"}"#, of: ada) == ["a"])
                #expect(try await found(#"{"fields": [{"name": "price"}]}"#) == ["a", "b"])
                #expect(try await found(#"{"fields": [{"name": "price"}, {"name": "title"}]}"#) == ["b"])
                #expect(try await found(#"{"retries": 1}"#) == ["a", "c"])
                #expect(try await found(#"{"retries": "1"}"#) == [])
                #expect(try await found(#"{"deep": {"a": [[2]]}}"#) == ["c"])
                #expect(try await found(#"{"deep": {"a": [2]}}"#) == [])
                #expect(try await found("{}") == ["a", "b", "c"])
                let every = try await store.primary.tasks(of: nil, where: nil, limit: 9, before: nil)
                #expect(every.count == 4)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `tasks come by pages, newest first, each once, with their latest logs`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            _ = try await store.createUser(email: "bob@example.com", id: bob)
            _ = try await store.createTask(.named("another's"), for: bob, policy: policy)
            var created: [UUID] = []
            for number in 0..<7 {
                // Pairs of the same moment, which only the id tells apart.
                if number.isMultiple(of: 2) { clock.advance(by: 0.25) }
                let task = try await store.createTask(.named("\(number)"), for: ada, policy: policy)
                created.append(task.id)
                let lines = (0..<number).map { line in
                    TaskLog(
                        id: UUID(), taskID: task.id, level: .debug, message: "line \(line)",
                        metadata: ["n": .init(integerLiteral: line), "deep": .array([.number(1.5), .null, "é"])],
                        timestamp: clock.now + Double(line))
                }
                #expect(try await store.add(lines, of: ada) == number)
                #expect(try await store.add(lines, of: ada) == 0, "stored already")
                try await store.cancelTask(task.id, of: ada, policy: policy)
            }
            var listed: [LoggedTask] = []
            var cursor: Cursor?
            while true {
                let page = try await store.primary.tasks(of: ada, logs: 3, limit: 3, before: cursor)
                guard let last = page.last else { break }
                listed += page
                cursor = Cursor(at: last.task.createdAt, id: last.id)
            }
            #expect(listed.count == 7)
            #expect(Set(listed.map(\.id)) == Set(created))
            #expect(listed.first?.id == created.last)
            let newest = try #require(listed.first)
            #expect(newest.logs.map(\.message) == ["line 5", "line 4", "line 3"])
            #expect(newest.logs[0].metadata == ["n": 5, "deep": .array([.number(1.5), .null, "é"])])
            #expect(try await store.primary.tasks(of: ada, logs: 0, limit: 9, before: nil).allSatisfy(\.logs.isEmpty))

            let all = try await store.primary.logs(task: newest.id, of: ada, limit: 4, before: nil).rows
            let last = try #require(all.last)
            let rest = try await store.primary.logs(
                task: newest.id, of: ada, limit: 9, before: Cursor(at: last.timestamp, id: last.id)
            ).rows
            #expect((all + rest).count == 7)
            #expect((all + rest).map(\.timestamp) == (all + rest).map(\.timestamp).sorted(by: >))
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an overview brings plan, subscription and today's usage`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            #expect(try await store.overview(user: bob) == nil)
            let free = try #require(try await store.overview(user: ada))
            #expect((free.plan.id, free.computeUnitsLimit, free.computeUnitsUsed) == ("free", 100, 0))
            #expect(free.subscription == nil && free.usage == nil && free.canCreateTask)

            clock.set(afterPurchase)
            try await store.receive([ProviderSubscription.purchase().event0])
            let task = try await store.runningTask(of: ada)
            clock.advance(by: 90)
            try await store.completeTask(task.id, of: ada, policy: policy)
            _ = try await store.createTask(.named("next"), for: ada, policy: policy)
            let paid = try #require(try await store.overview(user: ada))
            #expect(paid.user == (try await store.user(id: ada)))
            #expect((paid.plan.id, paid.computeUnitsLimit, paid.computeUnitsUsed) == ("starter", 1000, 2))
            #expect(paid.subscription == (try await store.subscription("910001")))
            #expect((paid.usage?.tasksExecuted, paid.usage?.computeUnitsUsed) == (1, 2))
            #expect((paid.unfinishedTasks, paid.canCreateTask, paid.at) == (1, true, clock.now))
            clock.advance(by: 86_400)
            #expect(try await store.overview(user: ada)?.usage == nil)
        }
    }
}
