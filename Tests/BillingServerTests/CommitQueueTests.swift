import Billing
import BillingServer
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite("Commit queue", .timeLimit(.minutes(15)))
struct CommitQueueTests {
    /// Events of `count` subscriptions that belong to no account.
    private static func bodies(_ count: Int) -> [[UInt8]] {
        (0..<count).map { number in
            var subscription = ProviderSubscription(
                userID: nil, createdAt: .testNow, renewsAt: Date.testNow.addingTimeInterval(2_592_000))
            subscription.id = String(920_000 + number)
            subscription.customerID = String(930_000 + number)
            return subscription.event("subscription_created", delivery: number)
        }
    }

    private func depth(_ server: RunningServer) async throws -> Int {
        let metrics = try await server.admin.send("GET", "/metrics").text
        let line = metrics.split(separator: "\n").last { $0.hasPrefix("selextract_inbox_queue_depth ") }
        return try #require(line.flatMap { Int($0.split(separator: " ")[1]) })
    }

    @Test("Deliveries that arrive during a commit share the next")
    func batches() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await withServer(try database.open(), options: waitsForCommits) { server in
                let bodies = Self.bodies(15)
                let replies = try await withThrowingTaskGroup(of: HTTPReply.self) { group in
                    try await withCommitsHeld(database) {
                        group.addTask { try await server.deliver(bodies[0]) }
                        // The first is taken, and waits for the lock; whoever comes now waits for the first.
                        try await eventually { try await waiting(database) == 1 }
                        for body in bodies.dropFirst() { group.addTask { try await server.deliver(body) } }
                        try await eventually { try await depth(server) == 14 }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(replies.map(\.status) == Array(repeating: 200, count: 15))
                #expect(try await server.events().count == 15)
                let metrics = try await server.admin.send("GET", "/metrics").text
                #expect(metrics.contains("selextract_inbox_batch_size_count 2\n"))
                #expect(metrics.contains("selextract_inbox_batch_size_sum 15.0\n"))
            }
        }
    }

    /// Transactions that wait for the lock.
    private func waiting(_ database: TestDatabase) async throws -> Int {
        try await database.values(
            """
            select pid::text from pg_locks where not granted and relation in
                (select oid from pg_class where relname = 'webhook_events')
            """
        ).count
    }

    @Test("When sixteen wait for a commit, a second lane takes them")
    func secondLane() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await withServer(try database.open(), options: waitsForCommits) { server in
                let bodies = Self.bodies(40)
                let replies = try await withThrowingTaskGroup(of: HTTPReply.self) { group in
                    try await withCommitsHeld(database) {
                        group.addTask { try await server.deliver(bodies[0]) }
                        try await eventually { try await waiting(database) == 1 }
                        for body in bodies.dropFirst() { group.addTask { try await server.deliver(body) } }
                        // Both lanes wait for the lock, on connections of their own.
                        try await eventually { try await waiting(database) == 2 }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(replies.map(\.status) == Array(repeating: 200, count: 40))
                #expect(try await server.events().count == 40)
            }
        }
    }

    @Test("A full queue says no, and loses nothing that it took")
    func fullQueue() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await withServer(
                try database.open(),
                options: {
                    waitsForCommits(&$0)
                    $0.limits.queueLength = 5
                }
            ) { server in
                let bodies = Self.bodies(20)
                let replies = try await withThrowingTaskGroup(of: HTTPReply.self) { group in
                    var replies: [HTTPReply] = []
                    try await withCommitsHeld(database) {
                        for body in bodies { group.addTask { try await server.deliver(body) } }
                        // At most a batch that was taken and five in the queue wait; the others are answered.
                        while replies.count < 10, let reply = try await group.next() { replies.append(reply) }
                        #expect(replies.allSatisfy { $0.status == 503 && $0["retry-after"] == "5" })
                    }
                    return try await group.reduce(into: replies) { $0.append($1) }
                }
                let accepted = replies.count { $0.status == 200 }
                #expect(accepted >= 5)
                #expect(accepted + replies.count { $0.status == 503 } == 20)
                #expect(try await server.events().count == accepted)
            }
        }
    }

    @Test("An event that fails is set aside, and its neighbours are not", arguments: DatabaseKind.allCases)
    func poison(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await withServer(try database.open(clock: TestClock(.testNow))) { server in
                try await database.execute(Self.refusal(kind))
                let users = try await (0..<20).asyncMap { number in
                    try await server.store.createUser(email: "user\(number)@example.com", id: nil).id
                }
                let bodies = users.enumerated().map { number, user in
                    var subscription = ProviderSubscription(
                        userID: user, createdAt: .testNow, renewsAt: Date.testNow.addingTimeInterval(2_592_000))
                    subscription.id = number == 7 ? "666" : String(920_000 + number)
                    subscription.customerID = String(930_000 + number)
                    return subscription.event("subscription_created", delivery: number)
                }
                let replies = try await concurrently(20) { try await server.deliver(bodies[$0]) }
                #expect(replies.map(\.status) == Array(repeating: 200, count: 20))
                for (number, reply) in replies.enumerated() {
                    #expect(reply.member("status") == (number == 7 ? "failed" : "applied"))
                }
                #expect(replies[7].member("reason") == "internal_error")
                let id = try #require(replies[7].member("event_id").flatMap(UUID.init(uuidString:)))
                let failed = try await server.store.eventRecord(id)
                #expect(failed?.outcome == .failed)
                #expect(failed?.attempts == 1)
                #expect(failed?.nextAttemptAt != nil)
                #expect(try await server.store.user(id: users[7])?.subscriptionTier == "free")
                #expect(try await server.store.user(id: users[8])?.subscriptionTier == "starter")

                // The same again tries again: first in vain, then with success.
                #expect(try await server.deliver(bodies[7]).member("status") == "duplicate")
                #expect(try await server.store.eventRecord(id)?.attempts == 2)
                try await database.execute("drop trigger refuse on user_subscriptions".forKind(kind))
                #expect(try await server.deliver(bodies[7]).status == 200)
                #expect(try await server.store.eventRecord(id)?.outcome == .applied)
                #expect(try await server.store.user(id: users[7])?.subscriptionTier == "starter")
            }
        }
    }

    /// A database that refuses one subscription's row.
    private static func refusal(_ kind: DatabaseKind) -> String {
        switch kind {
        case .postgreSQL:
            """
            create function refuse() returns trigger language plpgsql as
                $$ begin raise exception 'refused' using errcode = '23514'; end $$;
            create trigger refuse before insert on user_subscriptions for each row
                when (new.lemon_squeezy_subscription_id = '666') execute function refuse();
            """
        case .sqlite:
            """
            create trigger refuse before insert on user_subscriptions
                when new.lemon_squeezy_subscription_id = '666'
            begin select raise(abort, 'refused'); end;
            """
        }
    }

    @Test("Who hangs up is stored all the same, and disturbs nobody")
    func hangingUp() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await withServer(try database.open(), options: waitsForCommits) { server in
                let bodies = Self.bodies(3)
                let reply = try await withThrowingTaskGroup(of: HTTPReply.self) { group in
                    try await withCommitsHeld(database) {
                        var held = 0
                        for body in bodies[..<2] {
                            held += body.count
                            try await server.client.connect { connection in
                                let signature = RunningServer.signature(body).value
                                try await connection.write(
                                    "POST /webhooks/lemon-squeezy HTTP/1.1\r\nhost: x\r\nx-signature: \(signature)\r\n"
                                        + "content-length: \(body.count)\r\n\r\n")
                                try await connection.write(body)
                                // The deliveries are taken before their senders go.
                                try await eventually {
                                    try await server.admin.send("GET", "/metrics").text
                                        .contains("selextract_body_bytes_held \(held)\n")
                                }
                            }
                        }
                        group.addTask { try await server.deliver(bodies[2]) }
                    }
                    return try await group.next()
                }
                #expect(reply?.status == 200)
                try await eventually { try await server.events().count == 3 }
            }
        }
    }
}

extension String {
    /// SQLite's triggers belong to no table when they are dropped.
    fileprivate func forKind(_ kind: DatabaseKind) -> String {
        kind == .sqlite ? replacing(" on user_subscriptions", with: "") : self
    }
}

extension Sequence {
    /// One after the other.
    func asyncMap<Result>(_ transform: (Element) async throws -> Result) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
