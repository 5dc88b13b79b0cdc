import Billing
import Foundation
import Payloads
import Testing

/// R11a: when the billing day moves, and when it does not.
@Suite("The billing day moves")
struct BillingDayTests {
    /// What is shown of a starter bought on 7 October at ten, after one more snapshot.
    private func shown(
        made: String, renewsAt: String, status: String = "active", at moment: String
    ) throws -> String {
        var (account, subscription) = Case.created(at: "2026-10-07 10:00:00", renewsAt: "2026-11-07 10:00:00")
        (subscription.status, subscription.renewsAt) = (status, .utc(renewsAt))
        account.bodies.append(subscription.event("subscription_updated", at: .utc(made)))
        return try account.shown(at: moment)
    }

    @Test("Only an active snapshot made within three days of the new begin moves it")
    func threeDays() throws {
        let renewsAt = "2026-11-27 10:00:00"
        for made in ["2026-10-24 10:00:00", "2026-10-25 00:00:00", "2026-10-27 10:00:03", "2026-10-30 10:00:00"] {
            let shown = try shown(made: made, renewsAt: renewsAt, at: "2026-10-31 00:00:00")
            #expect(shown == "starter 1000 2026-11-27T10:00:00Z", "\(made)")
        }
        for made in ["2026-10-24 09:59:59", "2026-10-30 10:00:01"] {
            let shown = try shown(made: made, renewsAt: renewsAt, at: "2026-10-31 00:00:00")
            #expect(shown == "starter 1000 2026-11-07T10:00:00Z", "\(made)")
        }
        for status in ["past_due", "on_trial"] {
            let shown = try shown(
                made: "2026-10-27 10:00:03", renewsAt: renewsAt, status: status, at: "2026-10-31 00:00:00")
            #expect(shown == "starter 1000 2026-11-07T10:00:00Z", "\(status)")
        }
    }

    @Test("A day it has to move by, and more than a day after months started")
    func aDay() throws {
        for (made, renewsAt, moment, reset) in [
            ("2026-11-07 10:00:05", "2026-12-07 10:10:00", "2026-11-09 00:00:00", "2026-12-07T10:00:00Z"),
            ("2026-11-08 10:00:05", "2026-12-08 09:59:59", "2026-11-09 00:00:00", "2026-12-07T10:00:00Z"),
            ("2026-11-08 10:00:05", "2026-12-08 10:00:00", "2026-11-09 00:00:00", "2026-12-08T10:00:00Z"),
            ("2026-10-08 10:00:05", "2026-11-08 10:00:00", "2026-10-09 00:00:00", "2026-11-07T10:00:00Z"),
            ("2026-10-08 10:00:05", "2026-11-08 10:00:01", "2026-10-09 00:00:00", "2026-11-08T10:00:01Z"),
            ("2026-10-07 10:00:05", "2026-11-05 10:00:00", "2026-10-09 00:00:00", "2026-11-07T10:00:00Z"),
        ] {
            #expect(try shown(made: made, renewsAt: renewsAt, at: moment) == "starter 1000 \(reset)", "\(renewsAt)")
        }
    }

    @Test("A renewal that is not a month away moves nothing, nor does a weekly plan's")
    func lessThanAMonth() throws {
        var (account, subscription) = Case.created(renewsAt: "2027-10-12 09:30:01")
        subscription.renewsAt = .utc("2026-11-22 00:00:00")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-20 00:00:00")))
        #expect(try account.shown(at: "2026-11-23 00:00:00") == "starter 1000 2026-12-12T09:30:04Z")

        var (weekly, plan) = Case.created(renewsAt: "2026-10-19 09:30:04")
        for (week, renewsAt) in [("19", "26"), ("26", "31")] {
            plan.renewsAt = .utc("2026-10-\(renewsAt) 09:30:04")
            weekly.bodies.append(plan.event("subscription_updated", at: .utc("2026-10-\(week) 09:30:10")))
        }
        #expect(try weekly.shown(at: "2026-10-28 00:00:00") == "starter 1000 2026-11-12T09:30:04Z")
    }

    @Test("It may move back")
    func back() throws {
        var (account, subscription) = Case.created()
        subscription.renewsAt = .utc("2026-11-27 10:00:00")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-27 10:00:03")))
        #expect(try account.shown(at: "2026-10-28 00:00:00") == "starter 1000 2026-11-27T10:00:00Z")
        subscription.renewsAt = .utc("2026-12-12 09:30:04")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:05")))
        #expect(try account.shown(at: "2026-11-13 00:00:00") == "starter 1000 2026-12-12T09:30:04Z")
    }
}
