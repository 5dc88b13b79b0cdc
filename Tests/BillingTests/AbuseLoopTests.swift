import Billing
import Foundation
import Payloads
import Testing

/// Whoever loops through all that the provider lets one do gets no more than the time that was paid is worth.
///
/// Each subscription may be ahead of that by a month of the greatest plan: the present month is given at its begin, and
/// what was used of a greater plan before a downgrade is owed. Who lets a subscription end that owes, and buys another,
/// does not pay it back: debts belong to their subscription.
@Suite("Abuse in loops")
struct AbuseLoopTests {
    /// A life of these takes as long as many others.
    static let seeds = 1...UInt64(max(3, LifeTests.seeds.count / 100))
    @Test("Units used are never more than the paid time is worth and a month ahead", arguments: UpgradeUnits.allCases)
    func timeWeighted(_ upgrades: UpgradeUnits) throws {
        for seed in Self.seeds {
            if let problem = try excess(seed, BillingPolicy(upgradeUnits: upgrades)) { Issue.record("\(problem)") }
        }
    }

    /// With `next_month` a downgrade takes nothing, so that who upgrades, uses all and downgrades has, for the money of
    /// the smaller plan where the store gives the difference back, the rest of that month of the greater one: month
    /// after month. What it never gives is more than the greatest plan held in a month, for the time from then on.
    @Test("With next_month they are never more than each month's greatest plan, from when it was held, is worth")
    func greatestPlan() throws {
        for seed in Self.seeds {
            if let problem = try excess(seed, BillingPolicy(downgradeUnits: .nextMonth)) { Issue.record("\(problem)") }
        }
    }

    /// What renews_at says when a pause is over is not known: the days of the charges may stay, or the next charge is a
    /// month ahead, with nothing paid for the days until then.
    @Test("A pause over each charge gives no month, whenever the next charge is then", arguments: [2, 8, 20])
    func pauses(days: Int) throws {
        var account = Case()
        var due = Date.utc("2026-11-12 09:30:04")
        var subscription = ProviderSubscription(userID: Case.user, createdAt: due.adding(months: -1), renewsAt: due)
        account.createdAt = subscription.createdAt
        account.bodies = [subscription.event("subscription_created")]
        var used = try account.useAll(at: subscription.createdAt)
        for _ in 0..<8 {
            (subscription.status, subscription.pauseMode) = ("paused", "void")
            account.bodies.append(subscription.event("subscription_paused", at: due.addingTimeInterval(-3600)))
            (subscription.status, subscription.pauseMode) = ("active", nil)
            let resumed = due.addingTimeInterval(Double(days) * Abuser.day)
            due = resumed.adding(months: 1)
            subscription.renewsAt = due
            account.bodies.append(subscription.event("subscription_unpaused", at: resumed))
            used += try account.useAll(at: resumed)
            used += try account.useAll(at: due.addingTimeInterval(-7200))
        }
        #expect(used == 1000, "after \(days) days of pause")
    }

    /// Seven months; tells the first moment by which more was used.
    private func excess(_ seed: UInt64, _ policy: BillingPolicy) throws -> String? {
        var abuser = Abuser(seed: seed, policy: policy)
        let end = abuser.now.addingTimeInterval(210 * Abuser.day)
        while abuser.now < end {
            try abuser.step()
            for books in abuser.books {
                let used = Double(abuser.used(books))
                let earned = books.earned(by: abuser.now, greatest: policy.downgradeUnits == .nextMonth)
                if used > earned + Double(abuser.greatest) + 1 {
                    return "seed \(seed), \(policy.upgradeUnits), \(policy.downgradeUnits): "
                        + "subscription \(books.subscription.id) used \(used), worth \(earned)\n"
                        + abuser.log.joined(separator: "\n")
                }
            }
            let months = abuser.account.createdAt.months(until: abuser.now) + 1
            if abuser.used(of: .free) > 100 * months { return "seed \(seed): too much of the free plan" }
        }
        let hasUsed = abuser.books.contains { abuser.used($0) > 0 }
        return hasUsed ? nil : "seed \(seed): no subscription's units were used"
    }
}

extension Case {
    /// - Returns: what was there, of subscriptions.
    fileprivate mutating func useAll(at moment: Date) throws -> Int {
        let text = moment.formatted(.iso8601).replacing("T", with: " ").dropLast()
        let bucket = try state(at: String(text)).current
        guard bucket.line != .free, bucket.shown > 0 else { return 0 }
        try consume(bucket.shown, at: String(text))
        return bucket.shown
    }
}

extension Date {
    fileprivate func months(until moment: Date) -> Int {
        var count = 0
        while adding(months: count + 1) <= moment { count += 1 }
        return count
    }
}
