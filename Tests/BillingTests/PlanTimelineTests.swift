import Billing
import Foundation
import Payloads
import Testing

/// R13: what a month gives when the plan changes.
@Suite("Units of a month")
struct PlanTimelineTests {
    private static let month = "2026-10-12 09:30:04"
    /// 11 of the month's 31 days are over.
    private static let change = Date.utc("2026-10-23 09:30:04")

    private func granted(_ account: Case, _ begin: String = month, at moment: String = "2026-11-13 00:00:00")
        throws -> Int?
    {
        try account.bucket(begin, at: moment)?.granted
    }

    @Test("A downgrade takes its share, rounded down")
    func downgrade() throws {
        var (account, subscription) = Case.created(variant: "102")
        subscription.variantID = "101"
        account.bodies.append(subscription.event("subscription_updated", at: Self.change))
        #expect(try granted(account) == (5000 * 11 + 1000 * 20) / 31)
    }

    @Test("The first plan that is known reaches back to the month's begin")
    func reachesBack() throws {
        var (account, subscription) = Case.created()
        subscription.variantID = "102"
        account.bodies = [subscription.event("subscription_updated", at: Self.change)]
        #expect(try granted(account) == 5000)
    }

    @Test("In a trial an upgrade gives nothing more, and a downgrade takes its share")
    func trial() throws {
        for (from, to, units) in [("101", "102", 1000), ("102", "101", (5000 * 3 + 1000 * 4) / 7)] {
            var (account, subscription) = Case.trial(until: "2026-10-19 09:30:04")
            subscription.variantID = from
            account.bodies = [subscription.event("subscription_created")]
            subscription.variantID = to
            account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-15 09:30:04")))
            #expect(try granted(account) == units)
        }
    }

    // MARK: Upgrades that count when they are paid

    private func upgraded() -> (Case, ProviderSubscription) {
        var (account, subscription) = Case.created(renewsAt: "2026-12-12 09:30:01")
        account.policy.upgradeUnits = .whenPaid
        subscription.variantID = "102"
        account.bodies.append(subscription.event("subscription_updated", at: Self.change))
        return (account, subscription)
    }

    @Test("An upgrade that waits for payment counts from the first month that is not paid at the old price")
    func unpaid() throws {
        var (account, subscription) = upgraded()
        #expect(try granted(account) == 1000)
        #expect(try granted(account, "2026-11-12 09:30:04") == 1000)
        subscription.renewsAt = .utc("2027-01-12 09:30:01")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-12-12 09:30:20")))
        #expect(try account.bucket("2026-12-12 09:30:04", at: "2026-12-13 00:00:00")?.granted == 5000)
        #expect(try account.state(at: "2026-10-25 00:00:00").tier == "professional")
    }

    @Test("It counts from its own paid invoice, made from an hour before it on, and from no other")
    func paid() throws {
        let after = Self.change.addingTimeInterval(86_400)
        for (name, reason, status, created, units) in [
            ("subscription_payment_success", "updated", "paid", after, (1000 * 12 + 5000 * 19) / 31),
            ("subscription_payment_success", "updated", "paid", Self.change, (1000 * 11 + 5000 * 20) / 31),
            (
                "subscription_payment_success", "updated", "paid", Self.change.addingTimeInterval(-3600),
                (1000 * 11 + 5000 * 20) / 31
            ),
            ("subscription_payment_success", "updated", "paid", Self.change.addingTimeInterval(-3601), 1000),
            ("subscription_payment_success", "renewal", "paid", after, 1000),
            ("subscription_payment_success", "updated", "pending", after, 1000),
            ("subscription_payment_failed", "updated", "pending", after, 1000),
            ("subscription_payment_failed", "updated", "paid", after, 1000),
        ] {
            var (account, subscription) = upgraded()
            account.bodies.append(
                subscription.invoice(name, id: 2, reason: reason, status: status, createdAt: created))
            #expect(try granted(account) == units, "\(name) \(reason) \(status)")
            subscription.variantID = "101"
        }
    }

    @Test("A downgrade does not wait, and takes back an upgrade that was never paid")
    func downgradeAtOnce() throws {
        var (account, subscription) = Case.created(variant: "102")
        account.policy.upgradeUnits = .whenPaid
        subscription.variantID = "101"
        account.bodies.append(subscription.event("subscription_updated", at: Self.change))
        #expect(try granted(account) == (5000 * 11 + 1000 * 20) / 31)

        (account, subscription) = upgraded()
        subscription.variantID = "101"
        account.bodies.append(subscription.event("subscription_updated", at: Self.change.addingTimeInterval(3600)))
        account.bodies.append(
            subscription.invoice(id: 2, reason: "updated", createdAt: Self.change.addingTimeInterval(7200)))
        #expect(try granted(account) == 1000)
        #expect(try granted(account, "2026-11-12 09:30:04") == 1000)
    }

    // MARK: Lines

    @Test("A plan that is edited changes the months that begin from then on")
    func terms() throws {
        var (account, _) = Case.created(renewsAt: "2026-12-12 09:30:01")
        account.catalog.terms = [
            "starter": [
                .init(validFrom: .utc("2026-01-01 00:00:00"), monthlyComputeUnits: 1000),
                .init(validFrom: .utc("2026-11-12 09:30:04"), monthlyComputeUnits: 1500),
            ]
        ]
        #expect(try granted(account) == 1000)
        #expect(try granted(account, "2026-11-12 09:30:04") == 1500)
    }

    @Test("What is left of a month is not carried over, what is owed is, also on the free plan")
    func carried() throws {
        var account = Case()
        account.charges = [
            Charge(
                line: .free, begin: .utc("2026-10-01 00:00:00"), consumed: 150, adjusted: 0,
                firstAt: .utc("2026-10-05 00:00:00"))
        ]
        #expect(try account.shown(at: "2026-10-06 00:00:00") == "free 0 2026-11-01T00:00:00Z")
        #expect(try account.shown(at: "2026-11-06 00:00:00") == "free 50 2026-12-01T00:00:00Z")
        #expect(try account.shown(at: "2026-12-06 00:00:00") == "free 100 2027-01-01T00:00:00Z")
        account.charges[0].consumed = 30
        #expect(try account.shown(at: "2026-11-06 00:00:00") == "free 100 2026-12-01T00:00:00Z")
    }

    @Test("The months that are known are there ahead: a year's, and the next free one")
    func ahead() throws {
        let (account, _) = Case.created(renewsAt: "2027-10-12 09:30:04")
        #expect(try account.begins(at: "2026-10-13 00:00:00").count == 12)
        let free = try account.state(at: "2026-10-13 00:00:00").freeBuckets.map(\.begin)
        #expect(free == [.utc("2026-10-01 00:00:00"), .utc("2026-11-01 00:00:00")])
    }
}
