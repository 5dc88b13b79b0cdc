import Billing
import Foundation
import Payloads
import Testing

@Suite("Worked cases")
struct WorkedCases {
    @Test("C1: a purchase in all orders, each event twice, is starter with 1000 units in one bucket")
    func purchase() throws {
        let (account, _) = Case.purchase()
        for order in account.bodies.permutations {
            var account = account
            account.bodies = order + order.reversed()
            #expect(try account.shown(at: "2026-10-12 10:00:00") == "starter 1000 2026-11-12T09:30:04Z")
            let state = try account.state(at: "2026-10-12 10:00:00")
            #expect(state.subscriptions.count == 1)
            #expect(state.subscriptions[0].buckets.count == 1)
            #expect(state.subscriptions[0].currentPeriodEnd == .utc("2026-11-12 09:30:01"))
            #expect(state.subscriptions[0].currentPeriodStart == .utc("2026-10-12 09:30:01"))
        }
    }

    @Test("C2: success, recovery, snapshot and resend of one renewal refill once")
    func renewal() throws {
        var (account, subscription) = Case.purchase()
        try account.consume(400, at: "2026-10-20 00:00:00")
        let paidAt = Date.utc("2026-11-12 09:30:20")
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        account.bodies += [
            subscription.invoice(id: 7_300_002, createdAt: paidAt),
            subscription.invoice("subscription_payment_recovered", id: 7_300_002, createdAt: paidAt, delivery: 1),
            subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:25")),
        ]
        #expect(try account.shown(at: "2026-11-12 10:00:00") == "starter 1000 2026-12-12T09:30:04Z")
        try account.consume(50, at: "2026-11-13 00:00:00")
        account.bodies.append(subscription.invoice(id: 7_300_002, createdAt: paidAt, delivery: 2))
        #expect(try account.shown(at: "2026-11-13 10:00:00") == "starter 950 2026-12-12T09:30:04Z")
    }

    @Test("C3: an upgrade adds its share of the month, its invoice nothing, and the way back undoes it")
    func upgrade() throws {
        var (account, subscription) = Case.purchase()
        try account.consume(400, at: "2026-10-20 00:00:00")
        let change = Date.utc("2026-10-28 21:30:04")
        subscription.variantID = "102"
        account.bodies.append(subscription.event("subscription_updated", at: change))
        #expect(try account.shown(at: "2026-10-28 22:00:00") == "professional 2470 2026-11-12T09:30:04Z")
        #expect(try account.state(at: "2026-10-28 22:00:00").current.granted == 2870)
        account.bodies.append(subscription.invoice(id: 7_300_002, reason: "updated", createdAt: change))
        #expect(try account.shown(at: "2026-10-28 22:00:00") == "professional 2470 2026-11-12T09:30:04Z")
        subscription.variantID = "101"
        account.bodies.append(
            subscription.event("subscription_updated", at: change, snapshotAt: change.addingTimeInterval(40)))
        #expect(try account.shown(at: "2026-10-28 22:00:00") == "starter 600 2026-11-12T09:30:04Z")
    }

    @Test("C3a: what was spent of an upgrade that is taken back is owed by the next month")
    func debt() throws {
        var (account, subscription) = Case.purchase()
        subscription.variantID = "102"
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-12 09:30:05")))
        #expect(try account.state(at: "2026-10-12 10:00:00").unitsRemaining == 4999)
        try account.consume(4999, at: "2026-10-12 12:00:00")
        subscription.variantID = "101"
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-13 09:30:04")))
        #expect(try account.shown(at: "2026-10-14 00:00:00") == "starter 0 2026-11-12T09:30:04Z")
        let debt = try account.state(at: "2026-10-14 00:00:00").current.remaining
        #expect(debt == 1129 - 4999)
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:25")))
        let next = try account.state(at: "2026-11-12 10:00:00")
        #expect(next.current.carried == debt)
        #expect(next.unitsRemaining == 0)
    }

    @Test("C4: cancelled gives access and its units until it ends, with or without a further event")
    func cancelled() throws {
        var (account, subscription) = Case.purchase()
        try account.consume(900, at: "2026-10-20 00:00:00")
        subscription.status = "cancelled"
        subscription.endsAt = .utc("2026-11-12 09:30:01")
        account.bodies.append(subscription.event("subscription_cancelled", at: .utc("2026-10-25 00:00:00")))
        #expect(try account.shown(at: "2026-11-12 09:30:00") == "starter 100 2026-11-12T09:30:04Z")
        #expect(try account.shown(at: "2026-11-12 09:30:01") == "free 100 2026-12-01T00:00:00Z")
        subscription.status = "expired"
        account.bodies.append(subscription.event("subscription_expired", at: .utc("2026-11-12 09:31:00")))
        #expect(try account.shown(at: "2026-11-13 00:00:00") == "free 100 2026-12-01T00:00:00Z")
    }

    @Test("C5: a pause without access shows the free plan, its end the old bucket")
    func pause() throws {
        var (account, subscription) = Case.purchase()
        try account.consume(700, at: "2026-10-20 00:00:00")
        (subscription.status, subscription.pauseMode) = ("paused", "void")
        account.bodies.append(subscription.event("subscription_paused", at: .utc("2026-10-21 00:00:00")))
        #expect(try account.shown(at: "2026-10-22 00:00:00") == "free 100 2026-11-01T00:00:00Z")
        (subscription.status, subscription.pauseMode) = ("active", nil)
        account.bodies.append(subscription.event("subscription_unpaused", at: .utc("2026-10-25 00:00:00")))
        #expect(try account.shown(at: "2026-10-26 00:00:00") == "starter 300 2026-11-12T09:30:04Z")
    }

    @Test("C6: a trial is a month of its own", arguments: ["initial", "renewal"])
    func trial(reason: String) throws {
        var subscription = ProviderSubscription(
            userID: Case.user, createdAt: .utc("2026-10-12 09:30:04"), renewsAt: .utc("2026-10-19 09:30:01"))
        (subscription.status, subscription.trialEndsAt) = ("on_trial", subscription.renewsAt)
        var account = Case()
        account.bodies = [subscription.event("subscription_created")]
        #expect(try account.shown(at: "2026-10-13 00:00:00") == "starter 1000 2026-10-19T09:30:01Z")
        (subscription.status, subscription.trialEndsAt) = ("active", nil)
        subscription.renewsAt = .utc("2026-11-19 09:30:01")
        account.bodies += [
            subscription.invoice(id: 7_300_001, reason: reason, createdAt: .utc("2026-10-19 09:30:09")),
            subscription.event("subscription_updated", at: .utc("2026-10-19 09:30:10")),
        ]
        #expect(try account.shown(at: "2026-10-20 00:00:00") == "starter 1000 2026-11-19T09:30:01Z")
    }

    @Test("C7: a yearly plan's months come by the clock, on the last day where the month is short")
    func yearly() throws {
        var subscription = ProviderSubscription(
            userID: Case.user, createdAt: .utc("2026-10-31 08:00:00"), renewsAt: .utc("2027-10-31 08:00:00"))
        var account = Case()
        account.bodies = [subscription.event("subscription_created")]
        let begins = try account.state(at: "2026-11-01 00:00:00").subscriptions[0].buckets.map(\.begin)
        #expect(
            begins.prefix(6)
                == [
                    .utc("2026-10-31 08:00:00"), .utc("2026-11-30 08:00:00"), .utc("2026-12-31 08:00:00"),
                    .utc("2027-01-31 08:00:00"), .utc("2027-02-28 08:00:00"), .utc("2027-03-31 08:00:00"),
                ])
        #expect(begins.count == 12)
        try account.consume(1000, at: "2027-02-01 00:00:00")
        #expect(try account.shown(at: "2027-02-28 07:59:59") == "starter 0 2027-02-28T08:00:00Z")
        #expect(try account.shown(at: "2027-02-28 08:00:00") == "starter 1000 2027-03-31T08:00:00Z")
    }

    @Test("C8: a lost invoice is made good by the snapshot, and grants nothing when it comes after all")
    func lostInvoice() throws {
        var (account, subscription) = Case.purchase()
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:25")))
        try account.consume(10, at: "2026-11-12 10:00:00")
        account.bodies.append(subscription.invoice(id: 7_300_002, createdAt: .utc("2026-11-12 09:30:20")))
        #expect(try account.shown(at: "2026-11-12 11:30:25") == "starter 990 2026-12-12T09:30:04Z")
    }

    @Test("C9: a failed renewal gives nothing until it is paid, also through unpaid", arguments: [false, true])
    func failedRenewal(unpaid: Bool) throws {
        var (account, subscription) = Case.purchase()
        try account.consume(300, at: "2026-10-20 00:00:00")
        let invoiced = Date.utc("2026-11-12 09:30:20")
        subscription.status = "past_due"
        subscription.renewsAt = .utc("2026-11-15 09:30:01")
        account.bodies += [
            subscription.invoice("subscription_payment_failed", id: 7_300_002, status: "pending", createdAt: invoiced),
            subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:25")),
        ]
        #expect(try account.shown(at: "2026-11-14 00:00:00") == "starter 700 2026-11-12T09:30:04Z")
        if unpaid {
            subscription.status = "unpaid"
            account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-15 09:30:25")))
            #expect(try account.shown(at: "2026-11-16 00:00:00") == "free 100 2026-12-01T00:00:00Z")
        }
        let paid = Date.utc("2026-11-17 09:00:00")
        subscription.status = "active"
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        account.bodies += [
            subscription.invoice(
                "subscription_payment_recovered", id: 7_300_002, createdAt: invoiced, updatedAt: paid),
            subscription.invoice(id: 7_300_002, createdAt: invoiced, updatedAt: paid),
            subscription.event("subscription_updated", at: paid),
        ]
        #expect(try account.shown(at: "2026-11-17 10:00:00") == "starter 1000 2026-12-12T09:30:04Z")
    }

    @Test("C11: an unmapped variant keeps the last mapped plan, and access ends all the same")
    func unmappedVariant() throws {
        var (account, subscription) = Case.purchase()
        subscription.variantID = "999"
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-20 00:00:00")))
        #expect(try account.state(at: "2026-10-21 00:00:00").tier == "starter")
        (subscription.status, subscription.endsAt) = ("expired", .utc("2026-10-25 00:00:00"))
        account.bodies.append(subscription.event("subscription_expired", at: .utc("2026-10-25 00:00:00")))
        #expect(try account.shown(at: "2026-10-26 00:00:00") == "free 100 2026-11-01T00:00:00Z")
    }

    @Test("C11: nothing but unmapped variants is no subscription, until one is mapped")
    func neverMapped() throws {
        var (account, subscription) = Case.purchase()
        subscription.variantID = "999"
        account.bodies = [subscription.event("subscription_created")]
        #expect(try account.shown(at: "2026-10-13 00:00:00") == "free 100 2026-11-01T00:00:00Z")
        account.catalog.variants["999"] = "professional"
        #expect(try account.shown(at: "2026-10-13 00:00:00") == "professional 5000 2026-11-12T09:30:04Z")
    }

    @Test("C12: a plan that a late snapshot tells of takes its share in the month")
    func lateSnapshot() throws {
        var (account, subscription) = Case.purchase()
        var late = subscription
        late.variantID = "102"
        let lateBody = late.event("subscription_updated", at: .utc("2026-10-20 09:30:04"))
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-21 09:30:04")))
        let before = try account.state(at: "2026-10-23 00:00:00")
        #expect(before.unitsRemaining == 1000)
        account.bodies.append(lateBody)
        #expect(try account.state(at: "2026-10-23 00:00:00").unitsRemaining == (30 * 1000 + 5000) / 31)
        #expect(try account.state(at: "2026-10-23 00:00:00").tier == "starter")
    }

    @Test("C13: the end of a cancellation while past due is access, and no evidence")
    func pastDueCancelled() throws {
        var (account, subscription) = Case.purchase()
        try account.consume(300, at: "2026-10-20 00:00:00")
        (subscription.status, subscription.renewsAt) = ("past_due", .utc("2026-11-26 09:30:01"))
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:25")))
        (subscription.status, subscription.endsAt) = ("cancelled", .utc("2026-11-26 09:30:01"))
        account.bodies.append(subscription.event("subscription_cancelled", at: .utc("2026-11-14 00:00:00")))
        #expect(try account.shown(at: "2026-11-25 00:00:00") == "starter 700 2026-11-12T09:30:04Z")
        #expect(try account.shown(at: "2026-11-27 00:00:00") == "free 100 2026-12-01T00:00:00Z")
    }

    @Test("C14: of two subscriptions the greater counts, and the other's bucket waits")
    func twoSubscriptions() throws {
        var (account, _) = Case.purchase()
        try account.consume(250, at: "2026-10-13 00:00:00")
        var second = ProviderSubscription(
            userID: Case.user, createdAt: .utc("2026-10-14 12:00:00"), renewsAt: .utc("2026-11-14 12:00:00"))
        (second.id, second.variantID) = ("910002", "102")
        account.bodies.append(second.event("subscription_created"))
        #expect(try account.shown(at: "2026-10-15 00:00:00") == "professional 5000 2026-11-14T12:00:00Z")
        (second.status, second.endsAt) = ("expired", .utc("2026-10-25 00:00:00"))
        account.bodies.append(second.event("subscription_expired", at: .utc("2026-10-25 00:00:00")))
        #expect(try account.shown(at: "2026-10-26 00:00:00") == "starter 750 2026-11-12T09:30:04Z")
    }
}

extension Array {
    /// All orders of the elements.
    var permutations: [[Element]] {
        guard count > 1 else { return [self] }
        return indices.flatMap { index in
            var rest = self
            let element = rest.remove(at: index)
            return rest.permutations.map { [element] + $0 }
        }
    }
}
