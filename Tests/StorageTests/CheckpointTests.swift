import Accounts
import Billing
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// Histories of years in both databases, folded beside checkpoints.
@Suite struct CheckpointTests {
    private static let first = UInt64(ProcessInfo.processInfo.environment["SEED"].flatMap(Int.init) ?? 1)
    private static let count = UInt64(ProcessInfo.processInfo.environment["LIVES"].flatMap(Int.init) ?? 20) / 10 + 3

    /// Takes a long life through a store in one of the ways, and gives back what is stored at its end.
    private func state(
        of life: Life, on kind: DatabaseKind, isBatched: Bool, forgetting: Bool
    ) async throws -> (state: String, checkpoints: Int) {
        try await kind.withDatabase { database in
            let clock = TestClock(life.createdAt)
            return try await database.withStore(clock: clock) { store in
                for (variant, plan) in zip(Life.variants, ["starter", "professional", "enterprise"]) {
                    try await store.mapVariant(variant, to: plan)
                }
                let runner = LifeRunner(stores: [store], clock: clock)
                try await runner.begin(life)
                var (most, random) = (0, SplitMix(seed: life.seed))
                func look() async throws {
                    let stored = try await database.values("select subscription_id from subscription_checkpoints")
                    most = max(most, stored.count)
                    if forgetting { try await database.execute("delete from subscription_checkpoints") }
                }
                if isBatched {
                    try await runner.batched(life, &random)
                    try await look()
                } else {
                    try await runner.inOrder(life, after: look)
                }
                clock.set(life.end)
                _ = try await Tick(store, policy: life.policy).run()
                let check = try await Rebuild(store, policy: life.policy).run(check: true)
                #expect(check.problems.isEmpty, "seed \(life.seed): \(check.problems)")
                #expect(check.accounts == 1)
                return (try await runner.outcome(of: life), most)
            }
        }
    }

    @Test("With checkpoints, without them, and in batches the account is the same", arguments: DatabaseKind.allCases)
    func sameWithout(_ kind: DatabaseKind) async throws {
        var made = 0
        for seed in Self.first..<(Self.first + Self.count) {
            let life = Life(seed: seed, isLong: true)
            let (with, checkpoints) = try await state(of: life, on: kind, isBatched: false, forgetting: false)
            made += checkpoints
            let (without, _) = try await state(of: life, on: kind, isBatched: false, forgetting: true)
            let (batched, _) = try await state(of: life, on: kind, isBatched: true, forgetting: false)
            #expect(with == without, "seed \(seed)")
            #expect(with == batched, "seed \(seed)")
        }
        #expect(made > 0)
    }

    @Test(
        "A checkpoint that is wrong is found by rebuild --check, and a rebuild puts it right",
        arguments: DatabaseKind.allCases)
    func corrupted(_ kind: DatabaseKind) async throws {
        let clock = TestClock(.utc("2026-01-01 00:00:00"))
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                let policy = BillingPolicy()
                try await store.mapPlans()
                try await store.adopt(policy, host: "here")
                let id = UUID()
                _ = try await store.createAccount(NewUser(id: id, email: "ada@example.com"), policy: policy)
                var subscription = ProviderSubscription.purchase(of: id, id: "7")
                for month in 1...24 {
                    let due = subscription.createdAt.adding(months: month)
                    clock.set(due.addingTimeInterval(60))
                    subscription.renewsAt = subscription.createdAt.adding(months: month + 1)
                    try await store.receive([
                        subscription.invoice(id: month, reason: "renewal", createdAt: due),
                        subscription.event("subscription_updated", at: due.addingTimeInterval(5)),
                    ])
                }
                #expect(try await database.values("select subscription_id from subscription_checkpoints") == ["7"])
                let rebuild = Rebuild(store, policy: policy)
                #expect(try await rebuild.run(check: true).problems.isEmpty)

                try await database.execute("update subscription_checkpoints set carried = -5")
                let found = try await rebuild.run(check: true).differences
                #expect(found.contains { $0.subject == .bucket && $0.detail.contains("carried") }, "\(found)")
                #expect(
                    try await database.values("select cast(carried as varchar(9)) from subscription_checkpoints") == [
                        "-5"
                    ])
                _ = try await rebuild.run(check: false)
                #expect(
                    try await database.values("select cast(carried as varchar(9)) from subscription_checkpoints") == [
                        "0"
                    ])
                #expect(try await rebuild.run(check: true).problems.isEmpty)

                // What comes late is folded from the whole history: ten days before the month's end another plan.
                subscription.variantID = "102"
                let moment = subscription.createdAt.adding(months: 4).addingTimeInterval(-10 * 86_400)
                try await store.receive([subscription.event("subscription_updated", at: moment)])
                #expect(try await rebuild.run(check: true).problems.isEmpty)
                let granted = try await store.buckets(user: id).filter { $0.line == .subscription("7") }.map(\.granted)
                #expect(granted.count { $0 == 1000 } == granted.count - 1)
                #expect(granted.contains { $0 > 2000 })
            }
        }
    }
}
