import Billing
import Foundation
import Payloads
import Selextract
import Testing

/// C15 and on: what the histories of real subscriptions taught.
@Suite("Worked cases from real histories")
struct HistoryCases {
    @Test(
        "C17: a trial cut short by payment gives the first month from then on; resumed without payment it goes on",
        arguments: [
            ("2026-11-15 09:30:00", nil, true, "starter 1000 2026-11-15T09:30:06Z"),
            ("2026-11-15 09:30:00", "2026-10-15 09:30:00", true, "starter 1000 2026-11-15T09:30:00Z"),
            ("2026-10-26 09:30:01", "2026-10-26 09:30:01", false, "starter 10 2026-10-26T09:30:01Z"),
        ])
    func trialCutShort(renewsAt: String, trialEndsAt: String?, isPaid: Bool, shown: String) throws {
        var (account, subscription) = Case.trial(until: "2026-10-26 09:30:01")
        try account.consume(990, at: "2026-10-13 00:00:00")
        if isPaid { account.bodies.append(subscription.invoice(id: 1, createdAt: .utc("2026-10-15 09:30:04"))) }
        (subscription.status, subscription.renewsAt) = ("active", .utc(renewsAt))
        subscription.trialEndsAt = trialEndsAt.map(Date.utc)
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-15 09:30:06")))
        #expect(try account.shown(at: "2026-10-16 00:00:00") == shown)
    }

    @Test("C18: a trial that was over before we looked is where the months start")
    func trialNotSeen() throws {
        var subscription = ProviderSubscription(
            userID: Case.user, createdAt: .utc("2026-11-01 10:00:00"), renewsAt: .utc("2026-12-04 10:00:00"))
        subscription.trialEndsAt = .utc("2026-11-04 10:00:00")
        var account = Case()
        account.bodies = [subscription.event("subscription_updated", at: .utc("2026-11-04 10:00:14"))]
        #expect(try account.shown(at: "2026-11-28 00:00:00") == "starter 1000 2026-12-04T10:00:00Z")
        try account.consume(600, at: "2026-11-28 00:00:00")
        #expect(try account.shown(at: "2026-12-01 10:00:01") == "starter 400 2026-12-04T10:00:00Z")
    }

    @Test("C19: a snapshot without a variant still ends the subscription")
    func variantNull() throws {
        var (account, subscription) = Case.purchase()
        (subscription.status, subscription.variantID) = ("expired", nil)
        subscription.endsAt = .utc("2026-11-01 00:00:00")
        account.bodies.append(subscription.event("subscription_expired", at: .utc("2026-11-01 00:00:00")))
        #expect(try account.shown(at: "2026-11-02 00:00:00") == "free 100 2026-12-01T00:00:00Z")
    }

    @Test("C20: an upgrade whose payment failed gives no units, one that is paid its share")
    func upgradeUnpaid() throws {
        var (account, subscription) = Case.purchase()
        try account.consume(400, at: "2026-10-20 00:00:00")
        let change = Date.utc("2026-10-28 21:30:04")
        (subscription.status, subscription.variantID) = ("past_due", "102")
        account.bodies += [
            subscription.event("subscription_updated", at: change),
            subscription.invoice(
                "subscription_payment_failed", id: 9, reason: "updated", status: "pending", createdAt: change),
        ]
        #expect(try account.shown(at: "2026-10-28 22:00:00") == "professional 600 2026-11-12T09:30:04Z")
        // A plan that is edited gives more from the next month on, and is no reason to count what was not paid.
        var edited = account
        edited.catalog = PlanCatalog(
            plans: Case.plans.plans.values.map { plan in
                plan.id == "starter" ? Case.plan("starter", units: 6000, tasks: 3, cents: 1900, variant: "101") : plan
            },
            terms: [
                "starter": [
                    .init(validFrom: .distantPast, monthlyComputeUnits: 1000),
                    .init(validFrom: .utc("2026-10-30 00:00:00"), monthlyComputeUnits: 6000),
                ]
            ])
        #expect(try edited.shown(at: "2026-10-30 00:00:00") == "professional 600 2026-11-12T09:30:04Z")
        var paid = account
        paid.bodies.append(subscription.invoice(id: 9, reason: "updated", createdAt: change, updatedAt: change))
        #expect(try paid.shown(at: "2026-10-28 22:00:00") == "professional 2470 2026-11-12T09:30:04Z")
        (subscription.status, subscription.variantID) = ("active", "101")
        account.bodies.append(
            subscription.event("subscription_updated", at: change.addingTimeInterval(86_400)))
        #expect(try account.shown(at: "2026-10-30 00:00:00") == "starter 600 2026-11-12T09:30:04Z")
    }

    /// How the move of a billing day is told.
    enum Move: String, CaseIterable { case paid, invoiceLost, toYearly, toMonthly }

    @Test("C21, C22: a billing day that moves ends the month, which gives its share", arguments: Move.allCases)
    func billingDayMoved(_ move: Move) throws {
        var (account, subscription) = Case.created(at: "2026-10-07 10:00:00", renewsAt: "2026-11-07 10:00:00")
        if move == .toMonthly {
            (account, subscription) = Case.created(at: "2026-10-07 10:00:00", renewsAt: "2027-10-07 10:00:00")
        }
        var unused = account
        try account.consume(889, at: "2026-10-20 00:00:00")
        subscription.renewsAt = .utc(move == .toYearly ? "2027-10-27 10:00:00" : "2026-11-27 10:00:00")
        subscription.billingAnchor = 27
        var news = [subscription.event("subscription_updated", at: .utc("2026-10-27 10:00:03"))]
        if move == .paid || move == .toYearly {
            let reason = move == .paid ? "renewal" : "updated"
            news.append(subscription.invoice(id: 2, reason: reason, createdAt: .utc("2026-10-27 10:00:00")))
        }
        account.bodies += news
        unused.bodies += news
        #expect(try account.shown(at: "2026-10-28 00:00:00") == "starter 756 2026-11-27T10:00:00Z")
        #expect(try unused.shown(at: "2026-10-28 00:00:00") == "starter 1000 2026-11-27T10:00:00Z")
        #expect(try account.bucket("2026-10-07 10:00:00", at: "2026-10-28 00:00:00")?.granted == 645)
        guard move != .toYearly else {
            #expect(try account.shown(at: "2026-11-28 00:00:00") == "starter 1000 2026-12-27T10:00:00Z")
            return
        }
        subscription.status = "past_due"
        subscription.renewsAt = .utc("2026-11-30 10:00:00")
        let failure = [
            subscription.invoice(
                "subscription_payment_failed", id: 3, status: "pending", createdAt: .utc("2026-11-27 10:00:09")),
            subscription.event("subscription_updated", at: .utc("2026-11-27 10:00:12")),
        ]
        account.bodies += failure
        unused.bodies += failure
        #expect(try account.shown(at: "2026-11-28 00:00:00") == "starter 756 2026-11-27T10:00:00Z")
        #expect(try unused.shown(at: "2026-11-28 00:00:00") == "starter 1000 2026-11-27T10:00:00Z")
    }

    @Test("C23: a downgrade takes its share at once, or nothing until the next month")
    func downgrade() throws {
        var (account, subscription) = Case.created(
            at: "2026-11-13 10:00:00", renewsAt: "2026-12-13 10:00:00", variant: "102")
        try account.consume(4500, at: "2026-11-20 00:00:00")
        subscription.variantID = "101"
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-28 10:00:00")))
        var later = account
        later.policy.downgradeUnits = .nextMonth
        #expect(try account.shown(at: "2026-11-29 00:00:00") == "starter 0 2026-12-13T10:00:00Z")
        #expect(try account.state(at: "2026-11-29 00:00:00").current.remaining == -1500)
        #expect(try later.shown(at: "2026-11-29 00:00:00") == "starter 500 2026-12-13T10:00:00Z")
        let paid = subscription.invoice(id: 2, createdAt: .utc("2026-12-13 10:00:05"))
        account.bodies.append(paid)
        later.bodies.append(paid)
        #expect(try account.shown(at: "2026-12-14 00:00:00") == "starter 0 2027-01-13T10:00:00Z")
        #expect(try later.shown(at: "2026-12-14 00:00:00") == "starter 1000 2027-01-13T10:00:00Z")
        let next = subscription.invoice(id: 3, createdAt: .utc("2027-01-13 10:00:05"))
        account.bodies.append(next)
        #expect(try account.shown(at: "2027-01-14 00:00:00") == "starter 500 2027-02-13T10:00:00Z")
    }

    @Test("C24: a full refund keeps units, or takes what was not used", arguments: ["invoice", "order"])
    func refund(of what: String) throws {
        var (account, subscription) = Case.purchase()
        try account.consume(300, at: "2026-10-15 00:00:00")
        let at = Date.utc("2026-10-20 00:00:00")
        account.bodies.append(
            what == "order"
                ? subscription.order("order_refunded", status: "refunded", updatedAt: at, refundedAt: at)
                : subscription.invoice(
                    "subscription_payment_refunded", id: 7_300_001, reason: "initial", status: "refunded",
                    createdAt: .utc("2026-10-12 09:30:01"), updatedAt: at, refundedAt: at))
        #expect(try account.shown(at: "2026-10-21 00:00:00") == "starter 700 2026-11-12T09:30:04Z")
        account.policy.refundUnits = .take
        #expect(try account.shown(at: "2026-10-19 00:00:00") == "starter 700 2026-11-12T09:30:04Z")
        #expect(try account.shown(at: "2026-10-21 00:00:00") == "starter 0 2026-11-12T09:30:04Z")
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        account.bodies.append(subscription.invoice(id: 7_300_002, createdAt: .utc("2026-11-12 09:30:20")))
        #expect(try account.shown(at: "2026-11-13 00:00:00") == "starter 1000 2026-12-12T09:30:04Z")
    }

    @Test("C24: a refund of last month's invoice takes nothing of a month that is paid")
    func oldRefund() throws {
        var (account, subscription) = Case.purchase()
        account.policy.refundUnits = .take
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        account.bodies += [
            subscription.invoice(id: 7_300_002, createdAt: .utc("2026-11-12 09:30:20")),
            subscription.invoice(
                "subscription_payment_refunded", id: 7_300_001, reason: "initial", status: "refunded",
                createdAt: .utc("2026-10-12 09:30:01"), updatedAt: .utc("2026-11-14 00:00:00"),
                refundedAt: .utc("2026-11-14 00:00:00")),
        ]
        #expect(try account.shown(at: "2026-11-15 00:00:00") == "starter 1000 2026-12-12T09:30:04Z")
    }

    @Test("C25: a granted plan gives its months until it ends")
    func grant() throws {
        var account = Case()
        account.grants = [
            GrantedPlan(
                id: UUID(), planID: "professional", from: .utc("2026-10-20 12:00:00"),
                until: .utc("2026-12-31 00:00:00"))
        ]
        #expect(try account.shown(at: "2026-10-21 00:00:00") == "professional 5000 2026-11-20T12:00:00Z")
        try account.consume(4000, at: "2026-10-21 00:00:00")
        #expect(try account.shown(at: "2026-11-20 11:59:59") == "professional 1000 2026-11-20T12:00:00Z")
        #expect(try account.shown(at: "2026-11-20 12:00:00") == "professional 5000 2026-12-20T12:00:00Z")
        #expect(try account.shown(at: "2026-12-30 23:59:59") == "professional 5000 2027-01-20T12:00:00Z")
        #expect(try account.shown(at: "2026-12-31 00:00:00") == "free 100 2027-01-01T00:00:00Z")
    }

    @Test("C26: what is dated a year ahead waits for its hour")
    func aheadOfTime() throws {
        var (account, subscription) = Case.purchase()
        let before = try account.state(at: "2026-10-20 00:00:00")
        subscription.status = "expired"
        account.bodies.append(subscription.event("subscription_expired", at: .utc("2027-10-20 00:00:00")))
        #expect(try account.state(at: "2026-10-20 00:00:00") == before)
        #expect(try account.shown(at: "2027-10-19 22:59:59") == "starter 1000 2026-11-12T09:30:04Z")
        #expect(try account.shown(at: "2027-10-19 23:00:00") == "free 100 2027-11-01T00:00:00Z")
    }
}
