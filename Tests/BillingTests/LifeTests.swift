import Billing
import Foundation
import Payloads
import Testing

@Suite("Random lives")
struct LifeTests {
    /// How many lives: `LIVES` in the environment, for long runs.
    static let seeds = 1...UInt64(ProcessInfo.processInfo.environment["LIVES"].flatMap(Int.init) ?? 200)

    @Test("The order of the events does not matter, nor how often they come")
    @concurrent
    func order() async throws {
        for seed in Self.seeds {
            func fails(_ life: Life) throws -> Bool {
                var random = SplitMix(seed: seed)
                let inOrder = LifePlayer(life)
                let shuffled = LifePlayer(life.shuffled(&random, doubled: true), decoded: inOrder.decoded)
                return try inOrder.stateAtEnd() != shuffled.stateAtEnd()
            }
            var random = SplitMix(seed: seed &+ 13)
            let life = seed % 4 == 0 ? Life(seed: seed).adopting(&random) : Life(seed: seed)
            if try fails(life) { Issue.record("another outcome: \(try await life.shrunken(while: fails))") }
        }
    }

    /// That nothing changes between two changes is what lets the clock sleep (R17), and the view read what is stored.
    @Test("On the way the invariants hold, and nothing changes before the next change is due")
    @concurrent
    func invariants() async throws {
        for seed in Self.seeds {
            let life = Self.incomplete(seed)
            if let problem = try violation(of: life) {
                let shortest = try await life.shrunken { try violation(of: $0) != nil }
                Issue.record("\(problem)\n\(try violation(of: shortest) ?? ""): \(shortest)")
            }
        }
    }

    /// Of which no more deliveries were lost than some always are, or few more, or half.
    private static func incomplete(_ seed: UInt64) -> Life {
        var random = SplitMix(seed: seed &+ 11)
        let life = Life(seed: seed).losing(percent: [0, 10, 50][Int(seed / 2 % 3)], &random)
        return seed % 4 == 0 ? life.adopting(&random) : life
    }

    private func violation(of life: Life) throws -> String? {
        var random = SplitMix(seed: life.seed &+ 5)
        var found: String?
        var player = LifePlayer(life)
        try player.play { player, at in
            guard found == nil else { return }
            found = player.state(at: at).violation(charged: player.charged, now: at)
            if found == nil, random.next() % 8 == 0 { found = player.changeInBetween(from: at, hops: 2, &random) }
        }
        return found ?? player.changeInBetween(from: life.end, hops: 3, &random)
    }
}

extension LifePlayer {
    /// - Returns: what is not the same just before the next change, or somewhere on the way there; nil if all is.
    fileprivate func changeInBetween(from: Date, hops: Int, _ random: inout SplitMix) -> String? {
        var from = from
        for _ in 0..<hops {
            let state = state(at: from)
            let seconds = Int(state.nextChange.timeIntervalSince(from).rounded(.up))
            guard seconds > 1 else {
                from = state.nextChange
                continue
            }
            // The last second sees most of what could change on the way; what changes twice is seen in between.
            let later = random.next() % 3 == 0 ? Int.random(in: 1..<seconds, using: &random) : seconds - 1
            let moment = from.addingTimeInterval(Double(later))
            var then = self.state(at: moment)
            then.moment = state.moment
            if then != state {
                let moments = [from, state.nextChange, moment].map { $0.formatted(.iso8601) }
                return "at \(moments[0]), to change at \(moments[1]), at \(moments[2]) it was not the same: "
                    + "\(state)\n\(then)"
            }
            from = state.nextChange
        }
        return nil
    }
}
