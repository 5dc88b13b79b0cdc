import Billing
import Foundation
import Payloads
import Testing

/// R11: where months begin and end.
@Suite("Months")
struct MonthTests {
    @Test("The free plan's month begins at its very second")
    func freeMonth() throws {
        let account = Case()
        #expect(try account.shown(at: "2026-10-31 23:59:59") == "free 100 2026-11-01T00:00:00Z")
        #expect(try account.shown(at: "2026-11-01 00:00:00") == "free 100 2026-12-01T00:00:00Z")
        var late = Case()
        late.createdAt = .utc("2026-01-31 12:00:00")
        #expect(try late.shown(at: "2026-02-28 12:00:00") == "free 100 2026-03-31T12:00:00Z")
    }

    @Test("The last trial end that is told counts, as long as the trial lasts")
    func trialExtended() throws {
        var (account, subscription) = Case.trial(until: "2026-10-19 09:30:01")
        subscription.trialEndsAt = .utc("2026-10-22 09:30:01")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-15 00:00:00")))
        #expect(try account.shown(at: "2026-10-20 00:00:00") == "starter 1000 2026-10-22T09:30:01Z")
        (subscription.status, subscription.trialEndsAt) = ("active", nil)
        subscription.renewsAt = .utc("2026-11-22 09:30:01")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-22 09:30:20")))
        #expect(try account.shown(at: "2026-10-23 00:00:00") == "starter 1000 2026-11-22T09:30:01Z")
    }

    @Test("A trial longer than a month is several")
    func longTrial() throws {
        let (account, _) = Case.trial(until: "2026-11-26 09:30:04")
        #expect(try account.shown(at: "2026-10-13 00:00:00") == "starter 1000 2026-11-12T09:30:04Z")
        #expect(try account.shown(at: "2026-11-13 00:00:00") == "starter 1000 2026-11-26T09:30:04Z")
        #expect(
            try account.begins(at: "2026-11-13 00:00:00") == ["2026-10-12T09:30:04Z", "2026-11-12T09:30:04Z"])
    }

    @Test("Only the first snapshots make a trial")
    func trialLater() throws {
        var (account, subscription) = Case.created()
        (subscription.status, subscription.trialEndsAt) = ("on_trial", .utc("2026-10-25 00:00:00"))
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-20 00:00:00")))
        #expect(try account.begins(at: "2026-10-26 00:00:00") == ["2026-10-12T09:30:04Z"])
        #expect(try account.shown(at: "2026-10-21 00:00:00") == "starter 1000 2026-11-12T09:30:04Z")
    }

    @Test("What is charged at a month's first second belongs to it alone")
    func border() throws {
        var (account, _) = Case.created(renewsAt: "2027-10-12 09:30:04")
        try account.consume(300, at: "2026-11-12 09:30:04")
        #expect(try account.bucket("2026-10-12 09:30:04", at: "2026-11-13 00:00:00")?.consumed == 0)
        #expect(try account.bucket("2026-11-12 09:30:04", at: "2026-11-13 00:00:00")?.consumed == 300)
    }

    @Test("A charge whose month is gone, since the start moved, counts for the month that contains it")
    func movedStart() throws {
        var (account, subscription) = Case.created()
        try account.consume(300, at: "2026-10-20 00:00:00")
        var trial = subscription
        (trial.status, trial.trialEndsAt) = ("on_trial", .utc("2026-10-11 00:00:00"))
        trial.createdAt = .utc("2026-10-04 00:00:00")
        (subscription.createdAt, subscription.renewsAt) = (trial.createdAt, .utc("2026-11-11 00:00:00"))
        account.bodies = [
            trial.event("subscription_created", at: trial.createdAt),
            subscription.event("subscription_updated", at: .utc("2026-10-12 09:30:04")),
        ]
        #expect(try account.shown(at: "2026-10-21 00:00:00") == "starter 700 2026-11-11T00:00:00Z")
    }
}
