import Billing
import Foundation
import Payloads
import Testing

/// R3 bounds the dates of each event. Several may still contradict each other by more than that.
@Suite("Dates of several events, far apart")
struct LongLifeTests {
    /// Snapshots whose own dates are each less than 1,200 months apart: from the first year, from 1970, from the year of
    /// the purchase to a hundred years later.
    private static func account() -> Case {
        var (account, subscription) = Case.purchase()
        for (begin, renewal, made) in [
            ("0001-01-01 00:00:00", "0090-01-01 00:00:00", "2026-10-13 00:00:00"),
            ("1970-01-01 00:00:00", "2060-01-01 00:00:00", "2026-10-14 00:00:00"),
            ("2026-10-12 09:30:04", "2126-10-12 09:30:04", "2026-10-15 00:00:00"),
        ] {
            (subscription.createdAt, subscription.renewsAt) = (.utc(begin), .utc(renewal))
            account.bodies.append(subscription.event("subscription_updated", at: .utc(made)))
        }
        return account
    }

    @Test("They lead to the same account in any order, with what was paid, and months for no more than a year ahead")
    func anyOrder() throws {
        let account = Self.account()
        let moment = "2026-10-20 00:00:00"
        let state = try account.state(at: moment)
        #expect(state.tier == "starter")
        #expect(state.unitsRemaining == 1000)
        // The present month, thirteen ahead, and the free plan's two.
        #expect(state.buckets.count <= 16)
        var generator = SplitMix(seed: 7)
        for _ in 0..<20 {
            var other = account
            other.bodies.shuffle(using: &generator)
            #expect(try other.state(at: moment) == state)
        }
    }
}
