import Billing
import Foundation
import Payloads
import Testing

@Suite("Random lives")
struct LifeTests {
    /// How many lives: `LIVES` in the environment, for long runs.
    static let seeds = 1...UInt64(ProcessInfo.processInfo.environment["LIVES"].flatMap(Int.init) ?? 500)

    @Test("The order of the events does not matter, nor how often they come")
    func order() throws {
        for seed in Self.seeds {
            let life = Life(seed: seed)
            var random = SplitMix(seed: seed)
            let state = try state(of: life, charges: [])
            let shuffled = life.shuffled(&random, doubled: true)
            #expect(try self.state(of: shuffled, charges: []) == state, "\(life)")
        }
    }

    @Test("One bucket a month, no month without evidence, nothing ahead but what is known")
    func invariants() throws {
        for seed in Self.seeds {
            let life = Life(seed: seed)
            var events: [BillingEvent] = []
            for (at, step) in life.steps {
                guard case .event(let body) = step else { continue }
                events.append(try BillingEvent(body: body))
                let state = Account(userID: life.user, createdAt: life.createdAt, events: events, charges: [])
                    .state(at: at, catalog: Case.plans)
                for subscription in state.subscriptions {
                    let begins = subscription.buckets.map(\.begin)
                    #expect(Set(begins).count == begins.count, "\(life)")
                    #expect(
                        zip(subscription.buckets, subscription.buckets.dropFirst()).allSatisfy { $0.end <= $1.begin })
                    #expect(subscription.buckets.allSatisfy { $0.unlockedAt >= $0.begin && $0.granted <= 25_000 })
                }
                #expect(state.current.unlockedAt <= state.moment, "\(life)")
                #expect(state.nextChange > state.moment, "\(life)")
                #expect(state.effective.map { $0.hasAccess(at: state.moment) } ?? true)
            }
        }
    }

    private func state(of life: Life, charges: [Charge]) throws -> AccountState {
        let bodies: [[UInt8]] = life.steps.compactMap { step in
            if case .event(let body) = step.step { body } else { nil }
        }
        var events = try bodies.map(BillingEvent.init(body:))
        // The ids are given at random; they do not count.
        for index in events.indices { events[index].id = life.user }
        return Account(userID: life.user, createdAt: life.createdAt, events: events, charges: charges)
            .state(at: life.end, catalog: Case.plans)
    }
}
