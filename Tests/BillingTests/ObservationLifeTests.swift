import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Testing

@testable import Billing

/// Random lives of which deliveries are lost, and the provider's API looked at in the end (R21).
@Suite("Random lives, observed")
struct ObservationLifeTests {
    static let seeds = 1...UInt64(ProcessInfo.processInfo.environment["LIVES"].flatMap(Int.init) ?? 60)

    @Test("Whatever half of the deliveries was lost, one look shows each subscription as it is")
    @concurrent
    func nothingLost() async throws {
        var compared = 0
        for seed in Self.seeds {
            let life = Life(seed: seed)
            guard let problem = try difference(life, &compared) else { continue }
            Issue.record("seed \(seed): \(problem): \(life)")
            return
        }
        // A life that has nothing to compare shows nothing.
        #expect(compared > Self.seeds.count / 2)
    }

    /// What the present state is made of, and the API tells whole.
    private struct Present: Hashable, CustomStringConvertible {
        var status: String
        var plan: String
        var endsAt: Date?
        var hasAccess: Bool

        init(_ state: SubscriptionState, at moment: Date) {
            (status, plan, endsAt) = (state.status.rawValue, state.plan.id, state.endsAt)
            hasAccess = state.hasAccess(at: moment)
        }

        var description: String { "\(status) \(plan) \(endsAt?.formatted(.iso8601) ?? "-") \(hasAccess)" }
    }

    private func difference(_ life: Life, _ compared: inout Int) throws -> String? {
        var random = SplitMix(seed: life.seed &+ 5)
        var lossy = life.losing(percent: 50, &random)
        let looks = life.observations(at: life.end)
        lossy.steps += looks.map { (life.end, .event($0)) }
        let (whole, mended) = (try LifePlayer(life).stateAtEnd(), try LifePlayer(lossy).stateAtEnd())
        let found = Dictionary(uniqueKeysWithValues: mended.subscriptions.map { ($0.id, Present($0, at: life.end)) })
        // A variant that means nothing leaves the plan that was known before, which the API has forgotten.
        let mapped = Set(
            looks.compactMap { body -> String? in
                guard case .subscription(let snapshot)? = try? WebhookEvent(body: body).object,
                    let variant = snapshot.variantID, Life.variants.contains(variant)
                else { return nil }
                return snapshot.subscriptionID
            })
        for state in whole.subscriptions where mapped.contains(state.id) {
            compared += 1
            let expected = Present(state, at: life.end)
            if found[state.id] != expected {
                return "subscription \(state.id): \(found[state.id]?.description ?? "none") instead of \(expected)"
            }
        }
        return nil
    }
}
