import Foundation
import Selextract
import Testing

@Suite("UserSubscription")
struct UserSubscriptionTests {
    @Test(
        "Access follows from the status alone, whatever the period",
        arguments: [
            ("on_trial", true), ("active", true), ("past_due", true), ("paused", false), ("unpaid", false),
            ("expired", false), ("", false), ("Active", false), ("suspended", false),
        ], [nil, "123"])
    func status(row: (String, Bool), provider: String?) {
        let subscription = Sample.subscription(row.0, provider: provider)
        for moment in [Date.distantPast, Sample.noon, .distantFuture] {
            #expect(subscription.isActive(at: moment) == row.1)
        }
    }

    @Test("A cancelled one gives access until its end, or else until the period's", arguments: [3600.0, nil])
    func cancelled(endsAfter: Double?) {
        var subscription = Sample.subscription("cancelled", provider: "123")
        subscription.endsAt = endsAfter.map { Sample.noon + $0 }
        let end = subscription.endsAt ?? subscription.currentPeriodEnd
        #expect(subscription.isActive(at: end - 1))
        #expect(!subscription.isActive(at: end))
    }

    @Test(
        "A paused one gives access in mode free, or once it has resumed",
        arguments: [
            ("free", nil, true), ("void", nil, false), (nil, nil, false), ("other", nil, false), ("void", 0, true),
            ("void", -1, true), ("void", 1, false), (nil, 0, true), ("free", 1, true),
        ] as [(String?, Double?, Bool)])
    func paused(mode: String?, resumesAfter: Double?, isActive: Bool) {
        var subscription = Sample.subscription("paused", provider: "123")
        subscription.pauseMode = mode
        subscription.pauseResumesAt = resumesAfter.map { Sample.noon + $0 }
        #expect(subscription.isActive(at: Sample.noon) == isActive)
    }

    @Test("One that another program will cancel ends with its period")
    func cancelAtPeriodEnd() {
        var subscription = Sample.subscription()
        subscription.cancelAtPeriodEnd = true
        #expect(subscription.isActive(at: subscription.currentPeriodEnd - 1))
        #expect(!subscription.isActive(at: subscription.currentPeriodEnd))
        #expect(subscription.daysUntilRenewal(at: Sample.noon) == nil)
    }

    @Test(
        "A started day until the renewal counts as one",
        arguments: [
            (0, 10), (1, 10), (86_400, 9), (863_999, 1), (864_000 - 86_400, 1), (864_000 - 86_401, 2), (864_000, 0),
            (900_000, 0), (-1, 11),
        ] as [(Double, Int)])
    func daysUntilRenewal(seconds: Double, days: Int) {
        for status in ["active", "on_trial", "past_due"] {
            #expect(Sample.subscription(status).daysUntilRenewal(at: Sample.noon + seconds) == days)
        }
    }

    @Test("What does not renew has no days until then", arguments: ["cancelled", "paused", "unpaid", "expired", "odd"])
    func noRenewal(status: String) {
        #expect(Sample.subscription(status).daysUntilRenewal(at: Sample.noon) == nil)
    }

    @Test("Cancelling keeps access until the period's end, and is done once")
    func cancel() throws {
        var subscription = Sample.subscription()
        let end = subscription.currentPeriodEnd
        try subscription.cancel(at: Sample.noon + 5)
        #expect(subscription.status == "cancelled")
        #expect(subscription.cancelAtPeriodEnd)
        #expect(subscription.endsAt == end)
        #expect(subscription.isActive(at: end - 1))
        #expect(!subscription.isActive(at: end))
        let once = subscription
        try subscription.cancel(at: Sample.noon + 6)
        #expect(subscription == once)
    }

    @Test("One whose period is over ends at once")
    func cancelLate() throws {
        var subscription = Sample.subscription()
        try subscription.cancel(at: subscription.currentPeriodEnd)
        #expect(!subscription.cancelAtPeriodEnd)
        #expect(!subscription.isActive(at: subscription.currentPeriodEnd))
    }

    @Test("What has ended cannot be cancelled", arguments: ["expired", "unpaid", "odd"])
    func cancelEnded(status: String) {
        var subscription = Sample.subscription(status)
        #expect(throws: SubscriptionChangeError.ended(status: status)) { try subscription.cancel(at: Sample.noon) }
        #expect(subscription == Sample.subscription(status))
    }

    @Test("The provider's is neither cancelled nor renewed here")
    func providers() {
        var subscription = Sample.subscription(provider: "123")
        #expect(throws: SubscriptionChangeError.isProviders) { try subscription.cancel(at: Sample.noon) }
        #expect(throws: SubscriptionChangeError.isProviders) {
            try subscription.renew(until: .distantFuture, at: Sample.noon)
        }
        #expect(subscription == Sample.subscription(provider: "123"))
    }

    @Test("A renewal continues the period, or begins a new one after a gap", arguments: [0.0, 864_000, 1_000_000])
    func renew(seconds: Double) throws {
        var subscription = Sample.subscription()
        let oldEnd = subscription.currentPeriodEnd
        try subscription.cancel(at: Sample.noon)
        try subscription.renew(until: oldEnd + 2_592_000, at: Sample.noon + seconds)
        #expect(subscription.status == "active")
        #expect(subscription.currentPeriodStart == max(oldEnd, Sample.noon + seconds))
        #expect(subscription.currentPeriodEnd == oldEnd + 2_592_000)
        #expect(subscription.endsAt == nil)
        #expect(!subscription.cancelAtPeriodEnd)
        #expect(subscription.isActive(at: subscription.currentPeriodEnd + 1))
    }

    @Test("A renewal that does not reach further changes nothing", arguments: [-1.0, 0])
    func renewShorter(seconds: Double) {
        var subscription = Sample.subscription()
        let end = subscription.currentPeriodEnd
        #expect(throws: SubscriptionChangeError.notLater(than: end)) {
            try subscription.renew(until: end + seconds, at: Sample.noon)
        }
        #expect(throws: SubscriptionChangeError.notLater(than: end + 50)) {
            try subscription.renew(until: end + 50, at: end + 50)
        }
        #expect(subscription == Sample.subscription())
    }

    @Test("A refused change is a sentence")
    func sentences() {
        let date = Sample.moment("2026-10-12T09:30:04Z")
        #expect("\(SubscriptionChangeError.ended(status: "expired"))" == "the subscription has ended (expired)")
        #expect(
            "\(SubscriptionChangeError.notLater(than: date))"
                == "the renewal must reach beyond 2026-10-12T09:30:04.000Z")
    }
}
