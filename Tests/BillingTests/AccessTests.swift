import Billing
import Foundation
import Payloads
import Selextract
import Testing

/// R8, R9, R10, R14 and R17: what a subscription's row says, what gives access, which of several counts, and when one has
/// to look again.
@Suite("Access")
struct AccessTests {
    // MARK: Columns

    @Test("The period begins at the latest paid invoice that is not after its end")
    func periodStart() throws {
        var (account, subscription) = Case.purchase()
        (subscription.status, subscription.endsAt) = ("cancelled", .utc("2026-10-25 00:00:00"))
        account.bodies += [
            subscription.event("subscription_cancelled", at: .utc("2026-10-20 00:00:00")),
            subscription.invoice(id: 2, createdAt: .utc("2026-11-12 09:30:20")),
        ]
        let row = try account.state(at: "2026-11-13 00:00:00").subscriptions[0]
        #expect(row.currentPeriodStart == .utc("2026-10-12 09:30:01"))
        #expect(row.currentPeriodEnd == .utc("2026-10-25 00:00:00"))
        #expect(
            try Case.created().0.state(at: "2026-10-13 00:00:00").subscriptions[0].currentPeriodStart
                == .utc("2026-10-12 09:30:04"))
    }

    @Test("It is said to cancel at the period's end until that has come")
    func cancels() throws {
        var (account, subscription) = Case.purchase()
        (subscription.status, subscription.endsAt) = ("cancelled", .utc("2026-11-12 09:30:01"))
        account.bodies.append(subscription.event("subscription_cancelled", at: .utc("2026-10-20 00:00:00")))
        #expect(try account.state(at: "2026-11-12 09:30:00").subscriptions[0].cancelAtPeriodEnd)
        #expect(try account.state(at: "2026-11-12 09:30:01").subscriptions[0].cancelAtPeriodEnd == false)
    }

    @Test("The end of a trial is its period's end, and is remembered when it is over")
    func trialEnd() throws {
        var (account, _) = Case.trial(until: "2026-10-19 09:30:01")
        var (second, subscription) = Case.trial(until: "2026-11-02 00:00:00", id: "910002")
        account.bodies += second.bodies
        second = account
        #expect(
            try second.state(at: "2026-10-13 00:00:00").subscriptions[1].currentPeriodEnd
                == .utc("2026-11-02 00:00:00"))
        (subscription.status, subscription.trialEndsAt) = ("active", nil)
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-02 00:00:20")))
        #expect(
            try account.state(at: "2026-11-03 00:00:00").subscriptions[1].trialEndsAt
                == .utc("2026-11-02 00:00:00"))
    }

    // MARK: Access

    @Test("The moment looked at is never earlier than the newest event")
    func moment() throws {
        let (account, _) = Case.purchase()
        #expect(try account.shown(at: "2026-10-12 09:29:00") == "starter 1000 2026-11-12T09:30:04Z")
        #expect(try account.state(at: "2026-10-12 09:29:00").moment == .utc("2026-10-12 09:30:04"))
    }

    @Test(
        "Statuses that give access, and those that do not",
        arguments: [
            ("on_trial", true), ("active", true), ("past_due", true), ("unpaid", false), ("expired", false),
            ("paused", false), ("dormant", false),
        ])
    func statuses(status: String, hasAccess: Bool) throws {
        var (account, subscription) = Case.purchase()
        subscription.status = status
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-20 00:00:00")))
        #expect(try account.state(at: "2026-10-21 00:00:00").tier == (hasAccess ? "starter" : "free"))
    }

    @Test("A month that waits for payment stays the current one")
    func waiting() throws {
        var (account, _) = Case.purchase()
        try account.consume(300, at: "2026-10-20 00:00:00")
        #expect(try account.shown(at: "2026-12-20 00:00:00") == "starter 700 2026-11-12T09:30:04Z")
    }

    // MARK: Which of several

    private func effective(
        _ first: (at: String, id: String, variant: String), _ second: (at: String, id: String, variant: String),
        catalog: PlanCatalog = Case.plans
    ) throws -> String? {
        var (account, _) = Case.created(
            at: first.at, renewsAt: "2026-12-12 00:00:00", id: first.id, variant: first.variant)
        account.bodies +=
            Case.created(at: second.at, renewsAt: "2026-12-12 00:00:00", id: second.id, variant: second.variant)
            .0.bodies
        account.catalog = catalog
        let id = try account.state(at: "2026-10-20 00:00:00").effective?.id
        account.bodies.reverse()
        #expect(try account.state(at: "2026-10-20 00:00:00").effective?.id == id)
        return id
    }

    @Test("The most units come first, then the higher price, then the later purchase, then the greater id")
    func ranks() throws {
        let (early, late) = ("2026-10-12 00:00:00", "2026-10-13 00:00:00")
        #expect(try effective((early, "1", "102"), (late, "2", "101")) == "1")
        #expect(try effective((early, "1", "101"), (late, "2", "102")) == "2")
        #expect(try effective((early, "2", "101"), (late, "1", "101")) == "1")
        #expect(try effective((early, "999", "101"), (early, "1000", "101")) == "1000")
        #expect(try effective((early, "1002", "101"), (early, "1010", "101")) == "1010")
        let priced = PlanCatalog(plans: [
            Case.plan("free", units: 100, tasks: 1, cents: 0),
            Case.plan("dear", units: 1000, tasks: 1, cents: 200, variant: "101"),
            Case.plan("cheap", units: 1000, tasks: 1, cents: 100, variant: "102"),
        ])
        #expect(try effective((early, "1", "101"), (late, "2", "102"), catalog: priced) == "1")
        let generous = PlanCatalog(plans: [
            Case.plan("free", units: 100, tasks: 1, cents: 0),
            Case.plan("dear", units: 1000, tasks: 1, cents: 200, variant: "101"),
            Case.plan("cheap", units: 2000, tasks: 1, cents: 100, variant: "102"),
        ])
        #expect(try effective((early, "1", "102"), (late, "2", "101"), catalog: generous) == "1")
    }

    @Test("One whose present month is unlocked comes before a greater one that waits for payment")
    func unlockedFirst() throws {
        var (account, greater) = Case.created(variant: "102")
        let lesser = Case.created(at: "2026-10-14 00:00:00", renewsAt: "2026-12-14 00:00:00", id: "910002").0
        account.bodies += lesser.bodies
        #expect(try account.state(at: "2026-10-20 00:00:00").tier == "professional")
        greater.status = "past_due"
        account.bodies.append(greater.event("subscription_updated", at: .utc("2026-11-12 09:30:20")))
        #expect(try account.shown(at: "2026-11-15 00:00:00") == "starter 1000 2026-12-14T00:00:00Z")
    }

    // MARK: Variants

    @Test("Further variants mean a plan, beside its own")
    func variants() throws {
        var (account, _) = Case.created(variant: "201")
        account.catalog = PlanCatalog(plans: Array(Case.plans.plans.values), variants: ["201": "starter"])
        #expect(try account.state(at: "2026-10-13 00:00:00").tier == "starter")
    }

    // MARK: When to look again

    @Test("The next change is a month's end, the end of access, or what comes first")
    func nextChange() throws {
        #expect(try Case().state(at: "2026-10-13 00:00:00").nextChange == .utc("2026-11-01 00:00:00"))
        var (account, subscription) = Case.purchase()
        #expect(try account.state(at: "2026-11-02 00:00:00").nextChange == .utc("2026-11-12 09:30:04"))
        (subscription.status, subscription.endsAt) = ("cancelled", .utc("2026-11-07 00:00:00"))
        account.bodies.append(subscription.event("subscription_cancelled", at: .utc("2026-10-20 00:00:00")))
        #expect(try account.state(at: "2026-11-02 00:00:00").nextChange == .utc("2026-11-07 00:00:00"))
        #expect(try account.state(at: "2026-11-07 00:00:00").nextChange > .utc("2026-11-07 00:00:00"))
    }

    @Test("A renewal is overdue when it is active and its month has been locked for longer than the grace")
    func overdue() throws {
        let (account, _) = Case.purchase()
        func isOverdue(_ moment: String) throws -> Bool {
            try account.state(at: moment).subscriptions[0].isRenewalOverdue(at: .utc(moment), grace: 86_400)
        }
        #expect(try isOverdue("2026-11-01 00:00:00") == false)
        #expect(try isOverdue("2026-11-13 09:30:04") == false)
        #expect(try isOverdue("2026-11-13 09:30:05"))
        let trials = Case.trial(until: "2026-10-19 09:30:01").0
        let trial = try trials.state(at: "2026-12-01 00:00:00").subscriptions[0]
        #expect(trial.isRenewalOverdue(at: .utc("2026-12-01 00:00:00"), grace: 86_400) == false)
    }

    @Test("Units last until the first month that is locked, though later ones be paid")
    func unitsUntil() throws {
        var (account, subscription) = Case.purchase()
        func unitsUntil(_ moment: String) throws -> Date { try account.state(at: moment).subscriptions[0].unitsUntil }
        #expect(try unitsUntil("2026-10-20 00:00:00") == .utc("2026-11-12 09:30:04"))
        #expect(try unitsUntil("2026-12-20 00:00:00") == .utc("2026-11-12 09:30:04"))
        // A year is paid, but for one month.
        subscription.renewsAt = .utc("2027-10-12 09:30:04")
        account.bodies += [
            subscription.event("subscription_updated", at: .utc("2026-10-13 00:00:00")),
            subscription.invoice(
                "subscription_payment_failed", id: 9, status: "pending", createdAt: .utc("2026-12-12 09:30:04")),
        ]
        #expect(try unitsUntil("2026-12-20 00:00:00") == .utc("2026-12-12 09:30:04"))
        #expect(try unitsUntil("2027-01-20 00:00:00") == .utc("2027-10-12 09:30:04"))
    }
}
