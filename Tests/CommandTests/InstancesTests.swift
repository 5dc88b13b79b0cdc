import Accounts
import Billing
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// R0 with real processes: two instances on one database, fed at once, killed again and again.
@Suite("Two instances, killed and started again")
struct InstancesTests {
    /// How many databases of each kind: `ROUNDS` in the environment, for long runs.
    static let rounds = ProcessInfo.processInfo.environment["ROUNDS"].flatMap(Int.init) ?? 2
    /// The first seed: `SEED` in the environment, to repeat a round that failed.
    static let first = ProcessInfo.processInfo.environment["SEED"].flatMap(UInt64.init) ?? 1
    private static let livesARound: UInt64 = 3
    private static let connections = 8
    private static let kills = 4

    @Test(
        "What two instances are told at once, killed in the middle, is what one would have made of it in order",
        arguments: DatabaseKind.allCases)
    func killed(_ kind: DatabaseKind) async throws {
        for seed in Self.first..<(Self.first + UInt64(Self.rounds)) {
            let lives = (0..<Self.livesARound).map { Life(seed: seed &* Self.livesARound &+ $0) }
            let history = lives.map(\.description).joined(separator: "\n\n")
            let moment = max(Date(), lives.map(\.end).max() ?? .distantPast)
            let expected = try await kind.withDatabase { database in
                try await prepare(database, lives)
                try await deliverInOrder(lives, database)
                return try await pictures(of: lives, at: moment, database)
            }
            let found = try await kind.withDatabase { database in
                try await prepare(database, lives)
                try await deliver(lives, seed: seed, database)
                return try await pictures(of: lives, at: moment, database)
            }
            #expect(found == expected, "SEED=\(seed): \(history)")
        }
    }

    /// The accounts, each made at its own moment, and the plans' variants.
    private func prepare(_ database: TestDatabase, _ lives: [Life]) async throws {
        let clock = TestClock(.distantPast)
        try await database.withStore(clock: clock) { store in
            for (variant, plan) in zip(Life.variants, ["starter", "professional", "enterprise"]) {
                try await store.mapVariant(variant, to: plan)
            }
            for life in lives {
                clock.set(life.createdAt)
                _ = try await store.createUser(email: "\(life.seed)@example.com", id: life.user)
            }
        }
    }

    private func deliverInOrder(_ lives: [Life], _ database: TestDatabase) async throws {
        try await database.withStore { store in
            for body in lives.flatMap(\.bodies) {
                let delivery = Delivery(body: body, signature: "", matchedSecret: .current)
                let event = InboxEvent(delivery)
                _ = try await store.transaction { try await Fold($0, policy: BillingPolicy()).receive([event]) }
            }
        }
    }

    /// All of them twice, in any order, to two instances.
    private func deliver(_ lives: [Life], seed: UInt64, _ database: TestDatabase) async throws {
        let program = try Program(["DATABASE_URL": database.url])
        var random = SplitMix(seed: seed)
        let bodies = lives.flatMap(\.bodies)
        let deliveries = (bodies + bodies).shuffled(using: &random)
        let kills = Set((0..<Self.kills).map { _ in Int.random(in: 1..<deliveries.count, using: &random) })
        let seats = [Seat(program), Seat(program)]
        let provider = Provider(deliveries, to: seats, killAfter: kills)
        do {
            try await provider.run(connections: Self.connections)
        } catch {
            for seat in seats { try? await seat.stop() }
            throw error
        }
        for seat in seats { try await seat.stop() }

        let answered = await provider.stored
        #expect(Set(answered.values) == Set(bodies), "SEED=\(seed)")
        try await database.withStore { store in
            for (id, body) in answered { #expect(try await store.eventBody(id) == body, "SEED=\(seed)") }
            let records = try await store.primary.eventRecords(EventFilter(), limit: 10_000, before: nil)
            #expect(records.count == answered.count, "SEED=\(seed)")
            #expect(records.allSatisfy { $0.deliveries >= 2 && $0.outcome != .failed }, "SEED=\(seed)")
        }
        let check = try await program.run("rebuild", "--check")
        #expect(check.status == 0, "SEED=\(seed): \(check.text)")
    }

    /// All that R0 says must be the same, as it is stored, looked at in one moment.
    private func pictures(of lives: [Life], at moment: Date, _ database: TestDatabase) async throws -> [String] {
        try await database.withStore(clock: TestClock(moment)) { store in
            _ = try await store.transaction {
                try await Fold($0, policy: BillingPolicy()).refresh(users: Set(lives.map(\.user)))
            }
            var pictures: [String] = []
            for life in lives {
                let user = try #require(try await store.user(id: life.user))
                let ledger = try await store.ledger(user: life.user)
                #expect(ledger.reduce(0) { $0 + $1.entry.units } == user.computeUnitsRemaining, "\(life)")
                let subscriptions = try await store.primary.subscriptions(user: life.user, limit: 100, before: nil)
                    .sorted { ($0.lemonSqueezySubscriptionID ?? "") < ($1.lemonSqueezySubscriptionID ?? "") }
                    .map { subscription in
                        var subscription = subscription
                        subscription.id = life.user
                        (subscription.createdAt, subscription.updatedAt) = (life.createdAt, life.createdAt)
                        return "\(subscription)"
                    }
                let account = "\(user.subscriptionTier) \(user.computeUnitsRemaining) \(user.computeUnitsResetDate)"
                let buckets = try await store.buckets(user: life.user).map { "\($0)" }
                pictures.append(([account] + buckets + subscriptions).joined(separator: "\n"))
            }
            return pictures
        }
    }
}

extension Life {
    /// Its deliveries, without what tasks consume, which does not pass through the listener.
    fileprivate var bodies: [[UInt8]] {
        steps.compactMap { step in
            if case .event(let body) = step.step { body } else { nil }
        }
    }
}
