import Billing
import Foundation
import Payloads
import Testing

/// R12: what unlocks a month, and from when on.
@Suite("Evidence")
struct EvidenceTests {
    private static let first = "2026-10-12T09:30:04Z"
    private static let second = "2026-11-12T09:30:04Z"
    private static let third = "2026-12-12T09:30:04Z"
    private static let later = "2026-11-20 00:00:00"

    // MARK: Invoices

    @Test("An invoice made just before a month pays for that month")
    func threeDays() throws {
        var (account, subscription) = Case.purchase()
        account.bodies.append(subscription.invoice(id: 2, createdAt: .utc("2026-11-12 09:00:00")))
        #expect(try account.begins(at: Self.later) == [Self.first, Self.second])
    }

    @Test(
        "An invoice unlocks its month by success or recovery, paid or partly given back, and not for a change of plan",
        arguments: [
            ("subscription_payment_success", "paid", "renewal", true),
            ("subscription_payment_success", "paid", "initial", true),
            ("subscription_payment_recovered", "paid", "renewal", true),
            ("subscription_payment_success", "partial_refund", "renewal", true),
            ("subscription_payment_success", "partial_refunded", "renewal", true),
            ("subscription_payment_success", "paid", "updated", false),
            ("subscription_payment_success", "pending", "renewal", false),
            ("subscription_payment_success", "void", "renewal", false),
            ("subscription_payment_success", "refunded", "renewal", false),
            ("subscription_payment_failed", "paid", "renewal", false),
            ("subscription_payment_refunded", "paid", "renewal", false),
            ("subscription_payment_refunded", "partial_refund", "renewal", false),
        ])
    func invoices(name: String, status: String, reason: String, unlocks: Bool) throws {
        var (account, subscription) = Case.purchase()
        account.bodies.append(
            subscription.invoice(name, id: 2, reason: reason, status: status, createdAt: .utc("2026-11-12 09:30:20")))
        #expect(try account.begins(at: Self.later) == (unlocks ? [Self.first, Self.second] : [Self.first]))
    }

    @Test("A refund takes nothing: its month stays unlocked")
    func refund() throws {
        var (account, subscription) = Case.purchase()
        let made = Date.utc("2026-11-12 09:30:20")
        account.bodies += [
            subscription.invoice(id: 2, createdAt: made),
            subscription.invoice(
                "subscription_payment_refunded", id: 2, status: "refunded", createdAt: made,
                updatedAt: .utc("2026-11-15 00:00:00")),
        ]
        #expect(try account.shown(at: Self.later) == "starter 1000 2026-12-12T09:30:04Z")
    }

    @Test("An invoice of nothing at the begin of a short trial pays for nothing, one made as it ends does")
    func trialInvoice() throws {
        var (account, subscription) = Case.trial(until: "2026-10-14 09:30:04")
        account.bodies.append(subscription.invoice(id: 1, reason: "initial", createdAt: .utc("2026-10-12 09:30:03")))
        #expect(try account.begins(at: "2026-10-20 00:00:00") == [Self.first])
        account.bodies.append(subscription.invoice(id: 2, createdAt: .utc("2026-10-14 08:30:03")))
        #expect(try account.begins(at: "2026-10-20 00:00:00") == [Self.first])
        account.bodies.append(subscription.invoice(id: 3, createdAt: .utc("2026-10-14 08:30:04")))
        #expect(try account.begins(at: "2026-10-20 00:00:00") == [Self.first, "2026-10-14T09:30:04Z"])
    }

    @Test("A month that is paid late is unlocked when it is paid")
    func late() throws {
        var (account, subscription) = Case.purchase()
        account.bodies.append(
            subscription.invoice(
                "subscription_payment_recovered", id: 2, createdAt: .utc("2026-11-12 09:30:20"),
                updatedAt: .utc("2026-11-17 09:00:00")))
        let bucket = try account.bucket("2026-11-12 09:30:04", at: Self.later)
        #expect(bucket?.unlockedAt == .utc("2026-11-17 09:00:00"))
    }

    // MARK: Snapshots

    @Test("Of several pieces of evidence the first counts, and no month is unlocked before it begins")
    func unlockedAt() throws {
        var (account, subscription) = Case.created(renewsAt: "2027-01-12 09:30:04")
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        account.bodies += [
            subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:25")),
            subscription.invoice(id: 2, createdAt: .utc("2026-11-12 09:30:20"), updatedAt: .utc("2026-11-12 11:30:00")),
        ]
        #expect(
            try account.bucket("2026-11-12 09:30:04", at: Self.later)?.unlockedAt == .utc("2026-11-12 09:30:04"))
        account.bodies.removeFirst()
        #expect(
            try account.bucket("2026-11-12 09:30:04", at: Self.later)?.unlockedAt == .utc("2026-11-12 09:30:25"))
    }

    @Test("renews_at speaks for months that begin a day before it, not for one that begins with it")
    func dayBefore() throws {
        func months(_ renewsAt: String) throws -> [String] {
            try Case.created(renewsAt: renewsAt).0.begins(at: Self.later)
        }
        #expect(try months("2026-11-12 09:30:04") == [Self.first])
        #expect(try months("2026-11-13 09:30:03") == [Self.first])
        #expect(try months("2026-11-13 09:30:04") == [Self.first, Self.second])
    }

    @Test("The next active snapshot speaks for the months after it")
    func nextSpeaks() throws {
        var (account, subscription) = Case.created(renewsAt: "2027-10-12 09:30:01")
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        account.bodies.append(subscription.event("subscription_updated", at: .utc(Self.later)))
        #expect(try account.begins(at: "2027-03-01 00:00:00") == [Self.first, Self.second])
    }

    @Test("A snapshot speaks for the months before it")
    func pastMonths() throws {
        var (account, subscription) = Case.created()
        subscription.renewsAt = .utc("2027-01-12 09:30:01")
        account.bodies = [subscription.event("subscription_updated", at: .utc("2026-12-20 00:00:00"))]
        #expect(try account.begins(at: "2026-12-21 00:00:00") == [Self.first, Self.second, Self.third])
    }

    @Test("Being active in the first month is evidence for it, whatever renews_at says; after a trial it is not")
    func firstMonth() throws {
        for renewsAt in [nil, "2026-10-12 09:30:04"] {
            #expect(try Case.created(renewsAt: renewsAt).0.begins(at: Self.later) == [Self.first])
        }
        var (account, subscription) = Case.trial(until: "2026-10-19 09:30:01")
        (subscription.status, subscription.trialEndsAt) = ("active", nil)
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-19 09:30:20")))
        #expect(try account.begins(at: Self.later) == [Self.first])
    }

    @Test("A renewal from before its own snapshot says nothing, nor does a later snapshot without one")
    func pastRenewal() throws {
        for renewsAt in ["2026-12-12 09:30:01", nil] {
            var (account, subscription) = Case.created(renewsAt: renewsAt)
            account.bodies = [subscription.event("subscription_updated", at: .utc("2026-12-20 00:00:00"))]
            #expect(try account.begins(at: "2026-12-21 00:00:00") == [])
        }
    }

    @Test("A first known snapshot that is cancelled in the first month speaks for it, whatever its end")
    func firstCancelledAtOnce() throws {
        var (account, subscription) = Case.created()
        (subscription.status, subscription.endsAt) = ("cancelled", .utc("2026-10-12 09:30:04"))
        account.bodies = [subscription.event("subscription_cancelled", at: .utc("2026-10-12 09:35:00"))]
        #expect(try account.begins(at: Self.later) == [Self.first])
    }

    @Test("A first known snapshot that is cancelled speaks for the months until its end")
    func firstCancelled() throws {
        var (account, subscription) = Case.created()
        (subscription.status, subscription.endsAt) = ("cancelled", .utc("2026-12-12 09:30:01"))
        account.bodies = [subscription.event("subscription_cancelled", at: .utc(Self.later))]
        #expect(try account.begins(at: Self.later) == [Self.first, Self.second])
    }

    @Test("The newest active snapshot says through when it is paid")
    func paidThrough() throws {
        var (account, subscription) = Case.purchase()
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:25")))
        #expect(try account.state(at: Self.later).subscriptions[0].currentPeriodEnd == .utc("2026-12-12 09:30:01"))
    }

    // MARK: Failures

    @Test("A failed invoice stands against snapshots up to its second, not against later ones")
    func failure() throws {
        var (account, subscription) = Case.purchase()
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        account.bodies += [
            subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:20")),
            subscription.invoice(
                "subscription_payment_failed", id: 2, status: "pending", createdAt: .utc("2026-11-12 09:30:19"),
                updatedAt: .utc("2026-11-12 09:30:20")),
        ]
        #expect(try account.begins(at: Self.later) == [Self.first])
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:21")))
        #expect(try account.begins(at: Self.later) == [Self.first, Self.second])
    }

    @Test("A failure that was paid since stands against nothing")
    func failurePaid() throws {
        var (account, subscription) = Case.purchase()
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        let made = Date.utc("2026-11-12 09:30:19")
        account.bodies += [
            subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:15")),
            subscription.invoice("subscription_payment_failed", id: 2, status: "pending", createdAt: made),
            subscription.invoice(id: 2, createdAt: made, updatedAt: .utc("2026-11-17 00:00:00")),
        ]
        let bucket = try account.bucket("2026-11-12 09:30:04", at: Self.later)
        #expect(bucket?.unlockedAt == .utc("2026-11-12 09:30:15"))
    }

    @Test("A failed invoice for a change of plan locks nothing")
    func failedUpdate() throws {
        var (account, subscription) = Case.created(renewsAt: "2026-12-12 09:30:01")
        account.bodies.append(
            subscription.invoice(
                "subscription_payment_failed", id: 2, reason: "updated", status: "pending",
                createdAt: .utc("2026-11-13 00:00:00")))
        #expect(try account.begins(at: Self.later) == [Self.first, Self.second])
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
    }

    @Test("A first payment that failed locks the first month until the subscription is active again")
    func firstFailure() throws {
        var (account, subscription) = Case.created()
        account.bodies.append(
            subscription.invoice(
                "subscription_payment_failed", id: 1, reason: "initial", status: "pending",
                createdAt: .utc("2026-10-12 09:30:05")))
        #expect(try account.begins(at: "2026-10-13 00:00:00") == [])
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-12 09:35:00")))
        #expect(try account.begins(at: "2026-10-13 00:00:00") == [Self.first])
    }

    @Test("What was consumed of a month is not taken back when its payment turns out to have failed, but gives no more")
    func consumed() throws {
        var (account, subscription) = Case.created(renewsAt: "2026-12-12 09:30:01")
        let failed = subscription.invoice(
            "subscription_payment_failed", id: 2, status: "pending", createdAt: .utc("2026-11-12 09:30:20"))
        var untouched = account
        untouched.bodies.append(failed)
        #expect(try untouched.begins(at: Self.later) == [Self.first])
        try account.consume(200, at: "2026-11-12 09:30:10")
        account.bodies.append(failed)
        #expect(try account.shown(at: Self.later) == "starter 0 2026-12-12T09:30:04Z")
        #expect(try account.bucket("2026-11-12 09:30:04", at: Self.later)?.granted == 200)
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-12 09:31:00")))
        #expect(try account.shown(at: Self.later) == "starter 800 2026-12-12T09:30:04Z")
    }

    @Test("A failed invoice in the middle of a month stands not against that month")
    func failureInTheMiddle() throws {
        var (account, subscription) = Case.created()
        account.bodies.append(
            subscription.invoice(
                "subscription_payment_failed", id: 2, status: "pending", createdAt: .utc("2026-10-27 10:00:09")))
        #expect(try account.begins(at: Self.later) == [Self.first])
    }

    @Test("After a failure an active snapshot that only tells of the next attempt is no payment")
    func nextAttempt() throws {
        var (account, subscription) = Case.created()
        account.bodies.append(
            subscription.invoice(
                "subscription_payment_failed", id: 2, status: "pending", createdAt: .utc("2026-11-12 09:30:20")))
        for (renewsAt, months) in [
            ("2026-11-15 09:30:01", [Self.first]), ("2026-12-12 09:30:01", [Self.first, Self.second]),
        ] {
            subscription.renewsAt = .utc(renewsAt)
            var active = account
            active.bodies.append(subscription.event("subscription_resumed", at: .utc("2026-11-13 00:00:00")))
            #expect(try active.begins(at: Self.later) == months)
        }
    }

    @Test("Of a month that is locked again, what tasks and other programs used is left, whatever was given")
    func usedByOthers() throws {
        var (account, subscription) = Case.created(renewsAt: "2026-12-12 09:30:01")
        account.bodies.append(
            subscription.invoice(
                "subscription_payment_failed", id: 2, status: "pending", createdAt: .utc("2026-11-12 09:30:20")))
        for (adjusted, granted) in [(0, 200), (-150, 350), (50, 200)] {
            account.charges = [
                Charge(
                    line: .subscription("910001"), begin: .utc("2026-11-12 09:30:04"), consumed: 200,
                    adjusted: adjusted, firstAt: .utc("2026-11-12 09:30:10"))
            ]
            #expect(try account.bucket("2026-11-12 09:30:04", at: Self.later)?.granted == granted)
        }
    }

    // MARK: Trials

    @Test("Only the account's first trial gives units, in whatever order they are told")
    func trials() throws {
        var (account, _) = Case.trial(until: "2026-10-19 09:30:01")
        var second = ProviderSubscription(
            userID: Case.user, createdAt: .utc("2026-10-14 00:00:00"), renewsAt: .utc("2026-10-21 00:00:00"))
        (second.id, second.status, second.trialEndsAt) = ("910002", "on_trial", second.renewsAt)
        account.bodies.insert(second.event("subscription_created"), at: 0)
        #expect(try account.begins(at: "2026-10-15 00:00:00") == [Self.first])
        #expect(try account.begins(of: "910002", at: "2026-10-15 00:00:00") == [])
        account.bodies.reverse()
        #expect(try account.begins(at: "2026-10-15 00:00:00") == [Self.first])
        #expect(try account.begins(of: "910002", at: "2026-10-15 00:00:00") == [])
    }
}
