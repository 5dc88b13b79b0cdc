import BillingServer
import Databases
import Foundation
import Payloads
import Selextract
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Outage and shutdown", .timeLimit(.minutes(15)))
struct OutageTests {
    @Test("While the database is away deliveries are refused; what was answered 200 is stored")
    func databaseGoesAway() async throws {
        let purchase = try Fixtures.scenario("first-purchase").map(\.body)
        try await DatabaseKind.postgreSQL.withDatabase { database in
            let store = try database.open(clock: TestClock(.testNow)) { $0.poolTimeout = .seconds(2) }
            try await withServer(store) { server in
                let user = try await server.createUser(of: purchase[1])
                #expect(try await server.client.send("GET", "/v1/plans").status == 200)
                #expect(try await server.deliver(purchase[0]).status == 200)
                try await database.goAway()
                for body in purchase.dropFirst() {
                    let refused = try await server.deliver(body)
                    #expect(refused.status == 503)
                    #expect(refused["retry-after"] == "5")
                    #expect(refused.member("type") == "urn:selextract-billing:problem:unavailable")
                }
                try await eventually { try await server.admin.send("GET", "/readyz").status == 503 }
                let notReady = try await server.admin.send("GET", "/readyz")
                #expect(!notReady.text.contains("password"))
                #expect(try await server.client.send("GET", "/v1/plans").status == 200)
                try await database.comeBack()
                #expect(try await server.events().count == 1)
                for body in purchase { #expect(try await server.deliver(body).status == 200) }
                #expect(try await server.store.user(id: user)?.subscriptionTier == "starter")
                #expect(try await server.events().map(\.deliveries).sorted() == [1, 1, 1, 2])
                try await eventually { try await server.admin.send("GET", "/readyz").status == 200 }
            }
        }
    }

    @Test("Whenever connections are cut, nothing is answered 200 that is not stored")
    func connectionsAreCut() async throws {
        let bodies = (0..<150).map { number in
            var subscription = ProviderSubscription(
                userID: nil, createdAt: .testNow, renewsAt: Date.testNow.addingTimeInterval(2_592_000))
            subscription.id = String(920_000 + number)
            return subscription.event("subscription_created", delivery: number)
        }
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await withServer(try database.open()) { server in
                let accepted = Answers()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for share in 0..<10 {
                        group.addTask {
                            for index in stride(from: share, to: bodies.count, by: 10) {
                                // As the provider does: until it is taken.
                                while true {
                                    let reply = try await server.deliver(bodies[index])
                                    #expect([200, 503].contains(reply.status))
                                    guard reply.status == 200 else { continue }
                                    let id = try #require(reply.member("event_id"))
                                    accepted.add(id)
                                    break
                                }
                            }
                        }
                    }
                    for _ in 0..<5 {
                        try await database.goAway()
                        try await database.comeBack()
                    }
                    try await group.waitForAll()
                }
                let stored = Set(try await server.events().map { $0.id.uuidString.lowercased() })
                #expect(stored.count == bodies.count)
                #expect(accepted.ids == stored)
            }
        }
    }

    @Test("A shutdown finishes what was accepted, accepts nothing new, and then ends")
    func shutdown() async throws {
        let body = try Fixtures.event("subscription_created")
        try await DatabaseKind.postgreSQL.withDatabase { database in
            let reply = try await withServer(try database.open(), options: waitsForCommits) { server in
                try await withThrowingTaskGroup(of: HTTPReply.self) { group in
                    try await withCommitsHeld(database) {
                        group.addTask { try await server.deliver(body) }
                        try await eventually {
                            try await server.admin.send("GET", "/metrics").text
                                .contains("selextract_body_bytes_held \(body.count)\n")
                        }
                        await server.stop()
                        try await eventually {
                            do {
                                _ = try await server.client.send("GET", "/v1/plans")
                                return false
                            } catch {
                                return true
                            }
                        }
                    }
                    return try await group.next()
                }
            }
            #expect(reply?.status == 200)
            let ids = try await database.values("select id::text from webhook_events")
            #expect(ids == [reply?.member("event_id")])
        }
    }

    @Test("The clock runs again and again, and a failure ends nothing")
    func clock() async throws {
        struct Broken: Error {}
        try await DatabaseKind.sqlite.withDatabase { database in
            let runs = Counter()
            let lines = LogLines()
            try await withServer(
                try database.open(), logger: lines.logger,
                options: { options in
                    options.tickInterval = .milliseconds(1)
                    options.tick = { if runs.increment() == 1 { throw Broken() } }
                }
            ) { server in
                try await eventually { runs.count >= 3 }
                #expect(try await server.client.send("GET", "/v1/plans").status == 200)
                let metrics = try await server.admin.send("GET", "/metrics").text
                #expect(metrics.contains("selextract_clock_failures_total 1\n"))
            }
            #expect(lines.all.contains { $0.contains("the clock failed") && $0.contains("Broken") })
        }
    }
}

/// Counts what happens in several tasks.
private final class Counter: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .relaxed) }

    func increment() -> Int { value.add(1, ordering: .relaxed).newValue }
}

/// The events that were answered 200.
private final class Answers: Sendable {
    private let state = Mutex<Set<String>>([])

    var ids: Set<String> { state.withLock { $0 } }

    func add(_ id: String) { state.withLock { _ = $0.insert(id) } }
}
