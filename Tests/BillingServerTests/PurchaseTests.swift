import Billing
import BillingServer
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite("Deliveries become a subscription", .timeLimit(.minutes(15)))
struct PurchaseTests {
    static let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]

    /// What the scenario's files are about, beside the order.
    private static func purchase() throws -> [[UInt8]] {
        try Fixtures.scenario("first-purchase").dropFirst().map(\.body)
    }

    @Test("A purchase in any order, each delivery doubled, is one subscription", arguments: DatabaseKind.allCases)
    func purchaseInAnyOrder(_ kind: DatabaseKind) async throws {
        let purchase = try Self.purchase()
        for order in Self.orders {
            try await kind.withDatabase { database in
                try await withServer(try database.open(clock: TestClock(.testNow))) { server in
                    let user = try await server.createUser(of: purchase[0])
                    for index in order {
                        let first = try await server.deliver(purchase[index])
                        let second = try await server.deliver(purchase[index])
                        #expect(first.status == 200)
                        #expect(["applied", "unchanged", "parked"].contains(first.member("status")))
                        #expect(second.status == 200)
                        #expect(second.member("status") == "duplicate")
                        #expect(second.member("event_id") == first.member("event_id"))
                    }
                    let account = try await server.store.user(id: user)
                    #expect(account?.subscriptionTier == "starter")
                    #expect(account?.computeUnitsRemaining == 1000)
                    let subscriptions = try await server.store.primary.subscriptions(user: nil, limit: 10, before: nil)
                    #expect(subscriptions.map(\.status) == ["active"])
                    let events = try await server.events()
                    #expect(events.map(\.deliveries) == [2, 2, 2])
                    #expect(events.allSatisfy { ["applied", "unchanged"].contains($0.outcome.rawValue) })
                }
            }
        }
    }

    @Test("Snapshots of one second, in any order, end as the canonically last", arguments: DatabaseKind.allCases)
    func snapshotsOfOneSecond(_ kind: DatabaseKind) async throws {
        let created = Date.utc("2026-10-12 09:30:05")
        var subscription = ProviderSubscription(
            userID: UUID(), createdAt: created, renewsAt: .utc("2026-11-12 09:30:05"))
        let first = subscription.event("subscription_created")
        subscription.status = "past_due"
        let second = subscription.event("subscription_updated", snapshotAt: created.addingTimeInterval(1))
        subscription.status = "cancelled"
        subscription.endsAt = subscription.renewsAt
        let third = subscription.event("subscription_updated", snapshotAt: created.addingTimeInterval(2))
        let bodies = [first, second, third]
        for order in Self.orders {
            try await kind.withDatabase { database in
                try await withServer(try database.open(clock: TestClock(.testNow))) { server in
                    _ = try await server.createUser(of: first)
                    for index in order { #expect(try await server.deliver(bodies[index]).status == 200) }
                    #expect(try await server.store.subscription("910001")?.status == "cancelled")
                }
            }
        }
    }

    @Test("Fifty identical deliveries at once are one event", arguments: DatabaseKind.allCases)
    func identicalDeliveries(_ kind: DatabaseKind) async throws {
        let body = try Self.purchase()[0]
        try await kind.withDatabase { database in
            try await withServer(try database.open(clock: TestClock(.testNow))) { server in
                _ = try await server.createUser(of: body)
                let replies = try await concurrently(50) { _ in try await server.deliver(body) }
                #expect(replies.allSatisfy { $0.status == 200 })
                #expect(replies.count { $0.member("status") == "applied" } == 1)
                #expect(replies.count { $0.member("status") == "duplicate" } == 49)
                #expect(Set(replies.map { $0.member("event_id") }).count == 1)
                #expect(try await server.events().map(\.deliveries) == [50])
            }
        }
    }

    @Test(
        "Two hundred events of one subscription over twenty connections end as in order",
        arguments: DatabaseKind.allCases)
    func manyEventsAtOnce(_ kind: DatabaseKind) async throws {
        let (user, bodies) = Self.history(200)
        let expected = try await kind.withDatabase { database in
            try await withServer(try database.open(clock: TestClock(.testNow))) { server in
                _ = try await server.store.createUser(email: "ada@example.com", id: user)
                for body in bodies { #expect(try await server.deliver(body).status == 200) }
                return try await AccountRows(server.store, user)
            }
        }
        #expect(expected.subscriptions.count == 1)
        var random = SplitMix(seed: 7)
        let shuffled = bodies.shuffled(using: &random)
        try await kind.withDatabase { database in
            try await withServer(try database.open(clock: TestClock(.testNow))) { server in
                _ = try await server.store.createUser(email: "ada@example.com", id: user)
                try await Self.deliver(shuffled, to: [server], connections: 20)
                #expect(try await AccountRows(server.store, user) == expected)
            }
        }
        guard kind == .postgreSQL else { return }
        try await kind.withDatabase { database in
            try await withServer(try database.open(clock: TestClock(.testNow))) { one in
                try await withServer(try database.open(clock: TestClock(.testNow))) { other in
                    _ = try await one.store.createUser(email: "ada@example.com", id: user)
                    try await Self.deliver(shuffled, to: [one, other], connections: 20)
                    #expect(try await AccountRows(one.store, user) == expected)
                }
            }
        }
    }

    /// Each connection posts its share, one after the other, and each server serves every other connection.
    private static func deliver(_ bodies: [[UInt8]], to servers: [RunningServer], connections: Int) async throws {
        _ = try await concurrently(connections) { number in
            try await servers[number % servers.count].client.connect { connection in
                for index in stride(from: number, to: bodies.count, by: connections) {
                    let reply = try await connection.send(
                        "POST", "/webhooks/lemon-squeezy", headers: [RunningServer.signature(bodies[index])],
                        body: bodies[index])
                    #expect(reply.status == 200)
                }
            }
        }
    }

    /// A subscription that changes its plan and status back and forth, some of it within one second, and is paid.
    private static func history(_ count: Int) -> (user: UUID, bodies: [[UInt8]]) {
        let user = UUID()
        let start = Date.utc("2026-10-12 09:00:00")
        var subscription = ProviderSubscription(
            userID: user, createdAt: start, renewsAt: .utc("2026-11-12 09:00:00"))
        var bodies = [subscription.event("subscription_created")]
        for index in 1..<count {
            let moment = start.addingTimeInterval(Double(index / 3))
            if index % 10 == 0 {
                bodies.append(subscription.invoice(id: 7_300_000 + index, reason: "initial", createdAt: moment))
                continue
            }
            subscription.variantID = ["101", "102", "103"][index % 3]
            subscription.status = ["active", "past_due", "active", "active"][index % 4]
            bodies.append(
                subscription.event(
                    "subscription_updated", at: moment, snapshotAt: start.addingTimeInterval(Double(index)),
                    delivery: index))
        }
        return (user, bodies)
    }
}
