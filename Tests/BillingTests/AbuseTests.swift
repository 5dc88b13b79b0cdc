import Billing
import Foundation
import Payloads
import Testing

/// What somebody might try, to be given more than was paid for.
@Suite("Abuse")
struct AbuseTests {
    @Test("Upgrading, spending and downgrading in a loop forgives nothing and gives nothing more over time")
    func upgradeLoop() throws {
        var (account, subscription) = Case.created(renewsAt: "2027-10-12 09:30:04")
        var spent = 0
        for day in 13...22 {
            subscription.variantID = "102"
            account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-\(day) 10:00:00")))
            let all = try account.state(at: "2026-10-\(day) 11:00:00").unitsRemaining
            if all > 0 { try account.consume(all, at: "2026-10-\(day) 11:00:00") }
            spent += all
            subscription.variantID = "101"
            account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-\(day) 12:00:00")))
        }
        // Twenty hours of professional, and the rest of the month starter.
        let month = 31 * 24
        let earned = (5000 * 20 + 1000 * (month - 20)) / month
        #expect(try account.state(at: "2026-10-23 00:00:00").current.remaining == earned - spent)
        #expect(try account.state(at: "2026-10-23 00:00:00").unitsRemaining == 0)
        // However long it takes: what was spent ahead is given back out of the months that follow, one after the other.
        var debt = spent - earned
        for begin in ["2026-11-12", "2026-12-12", "2027-01-12", "2027-02-12", "2027-03-12"] {
            let state = try account.state(at: "\(begin) 10:00:00")
            #expect(state.current.remaining == 1000 - debt)
            #expect(state.unitsRemaining == max(0, 1000 - debt))
            debt = max(0, debt - 1000)
        }
        #expect(debt == 0)
    }

    @Test("An upgrade for a second is worth a second")
    func upgradeForASecond() throws {
        var (account, subscription) = Case.created()
        for hour in 10...20 {
            subscription.variantID = "103"
            account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-20 \(hour):00:00")))
            subscription.variantID = "101"
            account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-20 \(hour):00:01")))
        }
        #expect(try account.state(at: "2026-10-21 00:00:00").unitsRemaining == 1000)
    }

    @Test("Pausing over the end of a month and going on gives no month that was not paid")
    func pauseOverTheEnd() throws {
        for mode in ["void", nil] {
            var (account, subscription) = Case.created()
            for (paused, resumed) in [
                ("2026-11-12 09:00:00", "2026-11-13 00:00:00"), ("2026-12-12 09:00:00", "2026-12-13 00:00:00"),
                ("2027-01-12 09:00:00", "2027-01-13 00:00:00"),
            ] {
                (subscription.status, subscription.pauseMode) = ("paused", mode)
                account.bodies.append(subscription.event("subscription_paused", at: .utc(paused)))
                (subscription.status, subscription.pauseMode) = ("active", nil)
                // The provider moves the next charge, and says so.
                subscription.renewsAt = .utc(resumed).addingTimeInterval(30 * 86_400)
                account.bodies.append(subscription.event("subscription_unpaused", at: .utc(resumed)))
            }
            #expect(try account.begins(at: "2027-01-14 00:00:00") == ["2026-10-12T09:30:04Z"])
        }
    }

    @Test("Pausing and going on within a month gives back what was left, and nothing more")
    func pauseWithin() throws {
        var (account, subscription) = Case.created()
        try account.consume(900, at: "2026-10-13 00:00:00")
        for day in 14...18 {
            (subscription.status, subscription.pauseMode) = ("paused", day % 2 == 0 ? "void" : "free")
            account.bodies.append(subscription.event("subscription_paused", at: .utc("2026-10-\(day) 01:00:00")))
            (subscription.status, subscription.pauseMode) = ("active", nil)
            account.bodies.append(subscription.event("subscription_unpaused", at: .utc("2026-10-\(day) 02:00:00")))
        }
        #expect(try account.shown(at: "2026-10-19 00:00:00") == "starter 100 2026-11-12T09:30:04Z")
    }

    @Test("Cancelling while past due, and resuming, gives no month that was not paid")
    func cancelPastDue() throws {
        var (account, subscription) = Case.purchase()
        try account.consume(1000, at: "2026-10-20 00:00:00")
        account.bodies.append(
            subscription.invoice(
                "subscription_payment_failed", id: 2, status: "pending", createdAt: .utc("2026-11-12 09:30:20")))
        for day in [13, 14, 15] {
            (subscription.status, subscription.renewsAt) = ("past_due", .utc("2026-12-26 09:30:01"))
            subscription.endsAt = nil
            account.bodies.append(subscription.event("subscription_resumed", at: .utc("2026-11-\(day) 00:00:00")))
            (subscription.status, subscription.endsAt) = ("cancelled", .utc("2026-12-26 09:30:01"))
            account.bodies.append(subscription.event("subscription_cancelled", at: .utc("2026-11-\(day) 12:00:00")))
            #expect(try account.shown(at: "2026-11-\(day) 06:00:00") == "starter 0 2026-11-12T09:30:04Z")
        }
        #expect(try account.shown(at: "2026-12-20 00:00:00") == "starter 0 2026-11-12T09:30:04Z")
        #expect(try account.shown(at: "2026-12-27 00:00:00") == "free 100 2027-01-01T00:00:00Z")
    }

    @Test("Of trials in a row only the first gives units, whichever is told of first")
    func trialsInARow() throws {
        var account = Case()
        for index in 0..<4 {
            let start = Date.utc("2026-10-12 00:00:00").addingTimeInterval(Double(index) * 8 * 86_400)
            var trial = ProviderSubscription(
                userID: Case.user, createdAt: start, renewsAt: start.addingTimeInterval(7 * 86_400))
            (trial.id, trial.status, trial.trialEndsAt) = ("91000\(index)", "on_trial", trial.renewsAt)
            account.bodies.insert(trial.event("subscription_created"), at: 0)
            (trial.status, trial.endsAt) = ("expired", trial.renewsAt)
            let expired = trial.event("subscription_expired", at: trial.renewsAt)
            if index < 3 { account.bodies.append(expired) }
        }
        let state = try account.state(at: "2026-11-06 00:00:00")
        #expect(state.subscriptions.map(\.buckets.count) == [1, 0, 0, 0])
        #expect(state.unitsRemaining == 100)
        #expect(state.tier == "starter")
    }

    @Test("A resend in other bytes, any number of times, gives nothing")
    func resends() throws {
        var (account, subscription) = Case.purchase()
        try account.consume(800, at: "2026-10-20 00:00:00")
        for delivery in 1...30 {
            account.bodies += [
                subscription.event("subscription_created", delivery: delivery),
                subscription.invoice(
                    id: 7_300_001, reason: "initial", createdAt: .utc("2026-10-12 09:30:01"), delivery: delivery),
                // Another number, for the same period: still one month.
                subscription.invoice(id: 7_400_000 + delivery, createdAt: .utc("2026-10-12 09:30:09")),
            ]
        }
        #expect(try account.shown(at: "2026-10-21 00:00:00") == "starter 200 2026-11-12T09:30:04Z")
    }

    @Test("A plan, a price or a quantity in custom data is not read")
    func forgedPlan() throws {
        var (account, _) = Case.created()
        let honest = try account.state(at: "2026-10-13 00:00:00")
        let forged = String(decoding: account.bodies[0], as: UTF8.self).replacing(
            #""user_id":"#,
            with: #""plan":"enterprise","plan_id":"enterprise","variant_id":"103","quantity":"9","user_id":"#)
        #expect(forged.contains(#""variant_id":"103""#))
        account.bodies = [Array(forged.utf8)]
        #expect(try account.state(at: "2026-10-13 00:00:00") == honest)
    }
}
