import Accounts
import Billing
import Foundation
import Payloads
import Storage
import TestSupport
import Testing

@Suite("Random lives in both databases")
struct LifeTests {
    /// How many: `LIVES` in the environment, for long runs.
    static let count = UInt64(ProcessInfo.processInfo.environment["LIVES"].flatMap(Int.init) ?? 20)
    /// Where to begin, to repeat one.
    static let first = UInt64(ProcessInfo.processInfo.environment["SEED"].flatMap(Int.init) ?? 1)

    /// The ways in which the same may happen.
    enum Way: String, CaseIterable {
        case inOrder, shuffled, doubled, batched, parallel, wrongSettings, clockAhead
    }

    @Test(
        "However the events came, the account is the same, and the invariants hold on the way",
        arguments: DatabaseKind.allCases)
    func sameWhatever(_ kind: DatabaseKind) async throws {
        // A change of settings looks at all accounts of a database: few of them share one.
        let end = Self.first + Self.count
        for first in stride(from: Self.first, to: end, by: 20) {
            try await sameWhatever((first..<min(first + 20, end)).map { Life(seed: $0) }, kind)
        }
    }

    private func sameWhatever(_ lives: [Life], _ kind: DatabaseKind) async throws {
        var expected: [String] = []
        for way in Way.allCases {
            let (outcomes, problem) = try await outcomes(of: lives, way, kind)
            if way == .inOrder { expected = outcomes }
            let different = zip(lives, zip(outcomes, expected)).first { $1.0 != $1.1 }?.0
            let wrong = different ?? lives.first { $0.seed == problem?.seed }
            if let wrong {
                let shortest = try await wrong.shrunken { try await fails($0, way, kind) }
                Issue.record("\(way.rawValue): \(problem?.text ?? "another outcome"): \(shortest)")
            }
        }
    }

    private struct Problem {
        var seed: UInt64
        var text: String
    }

    private func fails(_ life: Life, _ way: Way, _ kind: DatabaseKind) async throws -> Bool {
        let (inOrder, problem) = try await outcomes(of: [life], .inOrder, kind)
        let (outcome, other) = try await outcomes(of: [life], way, kind)
        return inOrder != outcome || problem != nil || other != nil
    }

    /// All lives, one after the other, in one database; what is stored of each at its end, and the first problem.
    private func outcomes(
        of lives: [Life], _ way: Way, _ kind: DatabaseKind
    ) async throws -> (outcomes: [String], problem: Problem?) {
        let clock = TestClock(.utc("2026-01-01 00:00:00"))
        return try await kind.withDatabase { database in
            try await database.withStore(clock: clock, lockTimeout: .seconds(60)) { first in
                try await database.withStore(clock: clock, lockTimeout: .seconds(60)) { second in
                    for (variant, plan) in zip(Life.variants, ["starter", "professional", "enterprise"]) {
                        try await first.mapVariant(variant, to: plan)
                    }
                    let runner = LifeRunner(stores: [first, second], clock: clock)
                    var outcomes: [String] = []
                    for life in lives {
                        let problem = try await run(life, way, runner)
                        outcomes.append(try await runner.outcome(of: life))
                        if let problem { return (outcomes, Problem(seed: life.seed, text: problem)) }
                    }
                    return (outcomes, try await difference(runner).map { Problem(seed: 0, text: $0) })
                }
            }
        }
    }

    /// What a rebuild would do, long after; nil: nothing.
    private func difference(_ runner: LifeRunner) async throws -> String? {
        runner.clock.set(.utc("2060-01-01 00:00:00"))
        #expect(try await Tick(runner.stores[0], policy: BillingPolicy()).run().failures == 0)
        let report = try await Rebuild(runner.stores[0], policy: BillingPolicy()).run(check: true)
        #expect(report.problems.isEmpty && report.accounts > 0)
        return report.problems.first.map { "a rebuild finds that \($0.subject.rawValue) \($0.id): \($0.detail)" }
    }

    /// - Returns: the first invariant that did not hold.
    private func run(_ life: Life, _ way: Way, _ runner: LifeRunner) async throws -> String? {
        var random = SplitMix(seed: life.seed &+ 7)
        try await runner.begin(life)
        switch way {
        case .inOrder:
            var violation: String?
            try await runner.inOrder(life) {
                if violation == nil { violation = try await runner.violation(of: life) }
            }
            if let violation { return violation }
            // What is known ahead is stored ahead: the view is right without the clock for a month.
            let last = life.steps.last?.at ?? life.createdAt
            for _ in 0..<5 {
                let moment = last.addingTimeInterval(Double(Int.random(in: 0...(28 * 86_400), using: &random)))
                if let disagreement = try await runner.disagreement(of: life, at: moment) { return disagreement }
            }
        case .shuffled: try await runner.inOrder(life.shuffled(&random))
        case .doubled: try await runner.inOrder(life.shuffled(&random, doubled: true))
        case .batched: try await runner.batched(life.shuffled(&random, doubled: true), &random)
        case .wrongSettings: try await runner.withWrongSettings(life.shuffled(&random, doubled: true), &random)
        case .clockAhead: try await runner.withClockAhead(life.shuffled(&random), &random)
        case .parallel: try await runner.inParallel(life.shuffled(&random, doubled: true))
        }
        return nil
    }
}
