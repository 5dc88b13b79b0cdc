import Billing
import Foundation
import Payloads
import Testing

/// R0: a checkpoint changes no answer.
@Suite("Random lives, with checkpoints")
struct CheckpointLifeTests {
    /// How many lives: some of `LIVES` in the environment, since these are long.
    static let lives = UInt64(ProcessInfo.processInfo.environment["LIVES"].flatMap(Int.init) ?? 200) / 20 + 2

    @Test("With a checkpoint of any age, everything comes out as it does without, or the checkpoint is void")
    @concurrent
    func same() async throws {
        var figures = Figures()
        for seed in 1...Self.lives {
            let life = Life(seed: seed, isLong: true)
            if let problem = try Self.problem(of: life, &figures) {
                let shortest = try await life.shrunken { life in
                    var unused = Figures()
                    return try Self.problem(of: life, &unused) != nil
                }
                var unused = Figures()
                Issue.record("\(problem)\n\(try Self.problem(of: shortest, &unused) ?? ""): \(shortest)")
                return
            }
        }
        print("checkpoints: \(figures)")
        // Else the test would hold nothing.
        #expect(figures.livesWithOne * 3 > Self.lives)
        #expect(figures.used > 10 * Self.lives)
        #expect(figures.void > Self.lives / 3)
    }

    struct Figures {
        var lives = 0
        var livesWithOne = 0
        var made = 0
        var used = 0
        var void = 0
        var kept = 0
        var stoodFor = 0
        var read = 0
        var whole = 0
    }

    /// In order or not, in groups; folded with the whole history and with each of some checkpoints, old and new.
    private static func problem(of life: Life, _ figures: inout Figures) throws -> String? {
        var random = SplitMix(seed: life.seed &+ 3)
        var stage = CheckpointStage(life.user, at: life.createdAt)
        stage.policy = life.policy
        var pool: [Checkpoint] = []
        var hadOne = false
        figures.lives += 1
        var steps = arrivals(of: life, &random)[...]
        let stranger = Stranger(life)
        var known: Set<[UInt8]> = []
        while let first = steps.first {
            var arriving: [StoredEvent] = []
            var request: UnitRequest?
            let size = Int.random(in: 1...9, using: &random)
            stage.now = max(stage.now, first.at)
            if case .consume(let units, let task) = first.step {
                request = UnitRequest(userID: life.user, kind: .consume(task: task, inFull: false), units: units)
                steps = steps.dropFirst()
            }
            while request == nil, arriving.count < size, let (at, step) = steps.first, case .event(let body) = step {
                // Months do not pass within a group.
                if at > stage.now + 86_400 { break }
                stage.now = max(stage.now, at)
                if known.insert(body).inserted { arriving.append(CheckpointStage.stored(body)) }
                steps = steps.dropFirst()
            }
            if request == nil, life.seed % 2 == 0, random.next() % 12 == 0, let stranger {
                let body = stranger.body(before: stage.now, &random)
                if known.insert(body).inserted { arriving.append(CheckpointStage.stored(body)) }
            }
            // Now and then with the clock's look of a later day.
            if random.next() % 8 == 0 { stage.now += Double(Int.random(in: 0...86_400, using: &random)) }
            if let problem = try step(&stage, arriving, request, &pool, &random, &figures) { return problem }
            hadOne = hadOne || !pool.isEmpty
        }
        // Later, when nothing comes any more.
        for days in [0, 1, 20, 45, 400] {
            stage.now = max(stage.now, life.end) + Double(days) * 86_400
            if let problem = try step(&stage, [], nil, &pool, &random, &figures) { return problem }
        }
        if hadOne { figures.livesWithOne += 1 }
        return nil
    }

    /// As they come; or in any order between consumptions; or some of them, or of those for one subscription, months
    /// late.
    private static func arrivals(
        of life: Life, _ random: inout SplitMix
    ) -> [(at: Date, step: Life.Step)] {
        switch life.seed % 4 {
        case 0: return life.shuffled(&random, doubled: true).steps
        case 1: return life.steps
        default:
            let percent = life.seed % 4 == 2 ? 2 : 15
            return life.steps.map { at, step in
                guard case .event = step, random.next() % 100 < percent else { return (at, step) }
                return (at + Double(Int.random(in: 0...(180 * 86_400), using: &random)), step)
            }.sorted { $0.0 < $1.0 }
        }
    }

    private static func step(
        _ stage: inout CheckpointStage, _ arriving: [StoredEvent], _ request: UnitRequest?, _ pool: inout [Checkpoint],
        _ random: inout SplitMix, _ figures: inout Figures
    ) throws -> String? {
        let loaded = stage.loaded(arriving)
        let whole = try loaded.fold(arriving.map(\.id), request)
        for checkpoint in pool {
            let reduced = stage.loaded(arriving, checkpoints: [checkpoint])
            let folded = try reduced.fold(arriving.map(\.id), request)
            if folded.voidCheckpoints.isEmpty {
                figures.used += 1
                figures.read += reduced.related.count
                figures.whole += loaded.related.count
                if let difference = folded.difference(from: whole) {
                    return "at \(stage.now.formatted(.iso8601)), with \(checkpoint): \(difference)"
                }
            } else {
                figures.void += 1
                pool.removeAll { $0 == checkpoint }
            }
        }
        stage.save(whole, arriving)
        guard random.next() % 4 == 0 else { return nil }
        for made in loaded.madeCheckpoints(whole, beyond: Checkpoint.fewestLeftOut) where !pool.contains(made) {
            figures.made += 1
            figures.kept += made.kept.count
            figures.stoodFor += made.events
            if pool.count == 3 { pool.remove(at: Int.random(in: 0..<3, using: &random)) }
            pool.append(made)
        }
        return nil
    }
}

/// Says anything of a life's subscriptions, about any moment, whether it fits or not.
private struct Stranger {
    private let user: UUID
    private let ids: [String]
    private let customer: String
    private let start: Date

    init?(_ life: Life) {
        let events = life.steps.compactMap { _, step in
            if case .event(let body) = step { CheckpointStage.stored(body).event } else { nil }
        }
        ids = Array(Set(events.compactMap(\.subscriptionID))).sorted()
        guard let customer = events.lazy.compactMap(\.customerID).first, !ids.isEmpty else { return nil }
        self.customer = customer
        user = life.user
        start = life.createdAt
    }

    func body(before now: Date, _ random: inout SplitMix) -> [UInt8] {
        func chance(_ percent: Int) -> Bool { Int.random(in: 1...100, using: &random) <= percent }
        func moment(_ from: Double, _ to: Double) -> Date {
            let seconds = Int(to - from)
            return start + from + Double(seconds > 0 ? Int.random(in: 0...seconds, using: &random) : 0)
        }
        let age = now.timeIntervalSince(start)
        // Mostly of late.
        let at = chance(70) ? moment(max(0, age - 30 * 86_400), age) : moment(0, age)
        let made = chance(60) ? at : moment(max(0, age - 200 * 86_400), age)
        var subscription = ProviderSubscription(userID: chance(95) ? user : nil, createdAt: start, renewsAt: nil)
        (subscription.id, subscription.customerID) = (ids[Int.random(in: ids.indices, using: &random)], customer)
        if chance(40) {
            let names = ["success", "failed", "recovered", "refunded"]
            let name = names[Int.random(in: 0...(chance(15) ? 3 : 2), using: &random)]
            let status =
                ["success": "paid", "recovered": "paid", "failed": "pending", "refunded": "refunded"][name] ?? ""
            return subscription.invoice(
                "subscription_payment_\(name)", id: Int.random(in: 1...99_999_999, using: &random),
                reason: ["initial", "renewal", "updated"][Int.random(in: 0...2, using: &random)], status: status,
                createdAt: made, updatedAt: at, refundedAt: status == "refunded" ? at : nil)
        }
        let statuses = [
            "active", "active", "active", "past_due", "paused", "cancelled", "expired", "on_trial", "unpaid",
        ]
        subscription.status = statuses[Int.random(in: statuses.indices, using: &random)]
        subscription.variantID = chance(90) ? Life.variants[Int.random(in: 0...2, using: &random)] : nil
        // Most know when it began, since all other events do; and what is odd has to be rare, or nothing is usual.
        subscription.createdAt = chance(90) ? at : moment(0, age)
        let later = at + Double(Int.random(in: -40...60, using: &random)) * 86_400
        subscription.renewsAt = chance(80) ? at + Double(Int.random(in: 1...60, using: &random)) * 86_400 : later
        if ["cancelled", "expired"].contains(subscription.status), chance(80) { subscription.endsAt = later }
        if subscription.status == "on_trial" || chance(10) { subscription.trialEndsAt = chance(80) ? later : nil }
        if subscription.status == "paused" {
            subscription.pauseMode = chance(50) ? "void" : "free"
            if chance(30) { subscription.resumesAt = later }
        }
        return subscription.event("subscription_updated", at: at)
    }
}
