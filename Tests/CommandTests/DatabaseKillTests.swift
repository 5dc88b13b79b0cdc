import Databases
import Foundation
import Payloads
import Storage
import TestSupport
import Testing

@Suite("PostgreSQL, killed and started again", .timeLimit(.minutes(30)))
struct DatabaseKillTests {
    /// How often: by `ROUNDS` in the environment more, for long runs.
    private static let kills = 2 + (ProcessInfo.processInfo.environment["ROUNDS"].flatMap(Int.init) ?? 0)

    @Test("What was answered with 200 is there afterwards, and the service goes on by itself")
    func killed() async throws {
        let cluster = try await Cluster()
        do {
            try await deliver(to: cluster)
        } catch {
            try? await cluster.stop()
            throw error
        }
        try await cluster.stop()
    }

    private func deliver(to cluster: Cluster) async throws {
        let program = try Program(["DATABASE_URL": cluster.url])
        let seat = Seat(program)
        _ = try await seat.port
        let bodies = (0..<(150 * Self.kills)).map { number in
            var subscription = ProviderSubscription(
                userID: nil, createdAt: Date(), renewsAt: Date().addingTimeInterval(2_592_000))
            subscription.id = String(920_000 + number)
            subscription.customerID = String(1_930_000 + number)
            subscription.orderID = String(2_940_000 + number)
            return subscription.event("subscription_created", delivery: number)
        }
        let provider = Provider(bodies, to: [seat], killAfter: [])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await provider.run(connections: 8) }
            for kill in 1...Self.kills {
                while await provider.stored.count < 100 * kill { try await Task.sleep(for: .milliseconds(5)) }
                try await cluster.kill()
                try await cluster.start()
            }
            try await group.waitForAll()
        }
        try await seat.stop()
        let answered = await provider.stored
        #expect(Set(answered.values) == Set(bodies))
        let store = try DatabaseConfiguration(url: cluster.url).open()
        for (id, body) in answered { #expect(try await store.eventBody(id) == body) }
        await store.close()
    }
}
