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

    @Test("Whatever half of the deliveries was lost, each past month that an invoice shows as paid has its units again")
    @concurrent
    func pastMonths() async throws {
        var compared = (months: 0, units: 0)
        for seed in Self.seeds {
            let life = Life(seed: seed)
            guard let problem = try monthMissing(life, &compared) else { continue }
            Issue.record("seed \(seed): \(problem): \(life)")
            return
        }
        #expect(compared.months > Self.seeds.count / 2)
        #expect(compared.units > Self.seeds.count / 4)
    }

    private func events(_ bodies: [[UInt8]], of subscription: String) -> [BillingEvent] {
        bodies.compactMap { try? BillingEvent(body: $0) }.filter { $0.subscriptionID == subscription }
    }

    private func monthMissing(_ life: Life, _ compared: inout (months: Int, units: Int)) throws -> String? {
        var random = SplitMix(seed: life.seed &+ 5)
        var lossy = life.losing(percent: 50, &random)
        let looks = life.observations(at: life.end)
        lossy.steps += looks.map { (life.end, .event($0)) }
        let (whole, mended) = (try LifePlayer(life).stateAtEnd(), try LifePlayer(lossy).stateAtEnd())
        for state in whole.subscriptions {
            guard let found = mended.subscriptions.first(where: { $0.id == state.id }) else { continue }
            let (all, known) = (events(life.bodies, of: state.id), events(lossy.bodies, of: state.id))
            guard let history = SubscriptionHistory(id: state.id, events: all),
                let seen = SubscriptionHistory(id: state.id, events: known),
                // A trial, or a billing day that moved, which only lost snapshots told: then other months are paid.
                history.months.runs.map(\.start) == seen.months.runs.map(\.start)
            else { continue }
            let hasOnePlan = Set(history.snapshots.map(\.variantID)).count == 1
            let looked = events(looks, of: state.id)
            for case .invoice(let invoice) in looked.map(\.fact) where invoice.isPaid && !invoice.isForChange {
                func month(_ state: SubscriptionState) -> Bucket? {
                    state.buckets.last { $0.begin <= invoice.paysFor && invoice.paysFor < $0.end }
                }
                guard let paid = month(state) else { continue }
                compared.months += 1
                guard let again = month(found), again.begin == paid.begin, again.end == paid.end else {
                    return "the month that invoice \(invoice.invoiceID) paid: \(String(describing: month(found)))"
                }
                // What was used when a refund came depends on what was current then; the API does not tell of plans
                // between two looks.
                guard hasOnePlan, !life.choices.takeRefunds else { continue }
                compared.units += 1
                if again.granted != paid.granted {
                    return "\(again.granted) units instead of \(paid.granted) from \(paid.begin)"
                }
            }
        }
        return nil
    }
}

extension Life {
    fileprivate var bodies: [[UInt8]] {
        steps.compactMap { if case .event(let body) = $0.step { body } else { nil } }
    }
}
