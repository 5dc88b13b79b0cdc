import Billing
import Foundation
import Payloads
import Storage
import TestSupport
import Testing

/// C1 to C14, delivered over HTTP to both databases, with a clock that is moved.
@Suite("Worked cases over HTTP")
struct WorkedCaseTests {
    @Test(
        "C1: a purchase is one bucket of 1000 units, also when each event comes twice",
        arguments: DatabaseKind.allCases)
    func purchase(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "first-purchase") { stage in
            try await stage.post(3, 4, 2, 1, 2, 4, 3, 1)
            #expect(try await stage.shown(at: "2026-10-12 10:00:00") == "starter 1000 2026-11-12T09:30:04Z")
            #expect(try await stage.buckets().count == 1)
        }
    }

    @Test("C2: a renewal refills once, whatever tells of it", arguments: DatabaseKind.allCases)
    func renewal(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "renewal") { stage in
            try await stage.post(1, 2, 3, 4)
            try await stage.consume(400, at: "2026-10-20 00:00:00")
            #expect(try await stage.shown(at: "2026-11-12 09:30:04") == "starter 600 2026-11-12T09:30:04Z")
            try await stage.post(5, 6, 7)
            #expect(try await stage.shown(at: "2026-11-12 10:00:00") == "starter 1000 2026-12-12T09:30:04Z")
            try await stage.consume(50, at: "2026-11-13 00:00:00")
            try await stage.resend(5)
            #expect(try await stage.shown(at: "2026-11-13 01:00:00") == "starter 950 2026-12-12T09:30:04Z")
        }
    }

    @Test(
        "C3: a change of plan takes its share of the month, and the way back undoes it",
        arguments: DatabaseKind.allCases)
    func planChange(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "plan-change-and-back") { stage in
            try await stage.post(1, 2, 3, 4)
            try await stage.consume(400, at: "2026-10-20 00:00:00")
            try await stage.post(5)
            #expect(try await stage.shown(at: "2026-10-28 21:30:05") == "professional 2470 2026-11-12T09:30:04Z")
            try await stage.post(6)
            #expect(try await stage.shown(at: "2026-10-28 21:30:08") == "professional 2470 2026-11-12T09:30:04Z")
            try await stage.post(7, 8)
            #expect(try await stage.shown(at: "2026-10-28 22:00:00") == "starter 600 2026-11-12T09:30:04Z")
        }
    }

    @Test("C3a: what was spent of an upgrade taken back is owed by the next month", arguments: DatabaseKind.allCases)
    func debt(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "plan-change-debt") { stage in
            try await stage.post(1, 2, 3, 4, 5)
            try await stage.consume(5000, at: "2026-10-12 12:00:00")
            try await stage.post(6)
            #expect(try await stage.shown(at: "2026-10-14 00:00:00") == "starter 0 2026-11-12T09:30:04Z")
            let owed = try #require(try await stage.buckets().last?.remaining)
            #expect(owed == (5000 + 30 * 1000) / 31 - 5000)
            var renewal = ProviderSubscription(
                userID: stage.user, createdAt: .utc("2026-10-12 09:30:04"), renewsAt: .utc("2026-12-12 09:30:01"))
            renewal.id = "910121"
            let body = renewal.event("subscription_updated", at: .utc("2026-11-12 09:30:25"))
            stage.clock.set(.utc("2026-11-12 09:30:25"))
            #expect(try await stage.server.deliver(body).status == 200)
            #expect(try await stage.shown(at: "2026-11-12 10:00:00") == "starter 0 2026-12-12T09:30:04Z")
            #expect(try await stage.buckets().last?.carried == owed)
        }
    }

    @Test("C4: a cancelled subscription ends by the clock", arguments: DatabaseKind.allCases, [false, true])
    func cancelled(_ kind: DatabaseKind, expires: Bool) async throws {
        try await CaseStage.with(kind, "cancel-then-expired") { stage in
            try await stage.post(1, 2, 3, 4)
            try await stage.consume(900, at: "2026-10-20 00:00:00")
            try await stage.post(5, 6, 7)
            #expect(try await stage.shown(at: "2026-11-12 09:30:00") == "starter 100 2026-11-12T09:30:04Z")
            if expires { try await stage.post(8, 9) }
            #expect(try await stage.shown(at: "2026-11-12 09:30:08") == "free 100 2026-12-01T00:00:00Z")
        }
    }

    @Test(
        "C5: a pause without access shows the free plan, and its end the old bucket",
        arguments: DatabaseKind.allCases)
    func pause(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "pause-void-unpause") { stage in
            try await stage.post(1, 2, 3, 4)
            try await stage.consume(700, at: "2026-10-13 00:00:00")
            try await stage.post(5, 6)
            #expect(try await stage.shown(at: "2026-10-19 00:00:00") == "free 100 2026-11-01T00:00:00Z")
            try await stage.post(7, 8)
            #expect(try await stage.shown(at: "2026-10-22 00:00:00") == "starter 300 2026-11-12T09:30:04Z")
        }
    }

    @Test("C6: a trial is a month of its own, then the paid months begin", arguments: DatabaseKind.allCases)
    func trial(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "trial") { stage in
            try await stage.post(1, 2, 3)
            #expect(try await stage.shown(at: "2026-10-13 00:00:00") == "starter 1000 2026-10-19T09:30:01Z")
            try await stage.post(4, 5)
            #expect(try await stage.shown(at: "2026-10-20 00:00:00") == "starter 1000 2026-11-19T09:30:01Z")
        }
        try await CaseStage.with(kind, "trial-zero-invoice") { stage in
            try await stage.post(1, 2, 3, 4)
            try await stage.consume(1000, at: "2026-10-14 00:00:00")
            #expect(try await stage.shown(at: "2026-10-14 00:00:00") == "starter 0 2026-10-19T09:30:01Z")
            try await stage.post(5, 6)
            #expect(try await stage.shown(at: "2026-10-20 00:00:00") == "starter 1000 2026-11-19T09:30:01Z")
        }
    }

    @Test("C7: a yearly plan's months come by the clock alone", arguments: DatabaseKind.allCases)
    func yearly(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "yearly") { stage in
            var subscription = ProviderSubscription(
                userID: stage.user, createdAt: .utc("2026-10-31 08:00:00"), renewsAt: .utc("2027-10-31 08:00:00"))
            (subscription.id, subscription.variantID) = ("910151", "111")
            try await stage.post(1, 2, 3, 4)
            let body = subscription.event("subscription_updated", at: .utc("2026-10-31 08:00:30"))
            #expect(try await stage.server.deliver(body).status == 200)
            let resets = [
                ("2026-11-01 00:00:00", "2026-11-30T08:00:00Z"), ("2026-12-30 00:00:00", "2026-12-31T08:00:00Z"),
                ("2027-01-01 00:00:00", "2027-01-31T08:00:00Z"), ("2027-02-01 00:00:00", "2027-02-28T08:00:00Z"),
                ("2027-02-28 08:00:00", "2027-03-31T08:00:00Z"), ("2027-10-30 00:00:00", "2027-10-31T08:00:00Z"),
            ]
            for (moment, reset) in resets { #expect(try await stage.shown(at: moment) == "starter 1000 \(reset)") }
        }
    }

    @Test("C8: a renewal's lost invoice is made good by the snapshot", arguments: DatabaseKind.allCases)
    func lostInvoice(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "renewal-lost-invoice") { stage in
            try await stage.post(1, 2, 3, 4, 5)
            try await stage.consume(10, at: "2026-11-12 10:00:00")
            stage.clock.set(.utc("2026-11-12 11:30:26"))
            try await stage.post(6)
            #expect(try await stage.shown(at: "2026-11-12 11:31:00") == "starter 990 2026-12-12T09:30:04Z")
        }
    }

    @Test("C9: a failed renewal gives nothing until it is paid", arguments: DatabaseKind.allCases)
    func failedRenewal(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "failed-renewal-recovered") { stage in
            try await stage.post(1, 2, 3, 4)
            try await stage.consume(300, at: "2026-10-20 00:00:00")
            try await stage.post(5, 6)
            for day in 13...16 {
                #expect(try await stage.shown(at: "2026-11-\(day) 00:00:00") == "starter 700 2026-11-12T09:30:04Z")
            }
            try await stage.post(7, 8, 9)
            #expect(try await stage.shown(at: "2026-11-17 10:00:00") == "starter 1000 2026-12-12T09:30:04Z")
        }
        try await CaseStage.with(kind, "failed-renewal-unpaid-recovered") { stage in
            try await stage.post(1, 2, 3, 4)
            try await stage.consume(300, at: "2026-10-20 00:00:00")
            try await stage.post(5, 6, 7, 8)
            #expect(try await stage.shown(at: "2026-11-16 00:00:00") == "free 100 2026-12-01T00:00:00Z")
            try await stage.post(9, 10, 11)
            #expect(try await stage.shown(at: "2026-11-17 10:00:00") == "starter 1000 2026-12-12T09:30:04Z")
        }
    }

    @Test("C10: a purchase waits for its account, and counts at the next tick", arguments: DatabaseKind.allCases)
    func unknownAccount(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "unknown-account", hasAccount: false) { stage in
            try await stage.post(3, 2, 4)
            #expect(try await stage.outcomes() == ["parked unknown_account"])
            stage.clock.set(.utc("2026-10-14 09:00:00"))
            _ = try await stage.server.store.createUser(email: "late@example.com", id: stage.user)
            try await stage.tick(at: "2026-10-14 09:01:00")
            #expect(try await stage.shown(at: "2026-10-14 09:01:00") == "starter 1000 2026-11-12T09:30:04Z")
            #expect(try await stage.outcomes() == ["applied released"])
        }
    }

    @Test("C11: an unknown variant gives no plan until it is mapped", arguments: DatabaseKind.allCases)
    func unknownVariant(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "unknown-variant") { stage in
            try await stage.post(1, 2, 3, 4)
            #expect(try await stage.outcomes() == ["parked unknown_plan"])
            #expect(try await stage.shown(at: "2026-10-12 10:00:00") == "free 100 2026-11-01T00:00:00Z")
            try await stage.server.store.mapVariant("999", to: "professional")
            try await stage.tick(at: "2026-10-12 10:01:00")
            #expect(try await stage.shown(at: "2026-10-12 10:01:00") == "professional 5000 2026-11-12T09:30:04Z")
        }
        try await CaseStage.with(kind, "unknown-variant-after-starter") { stage in
            try await stage.post(1, 2, 3, 4, 5)
            #expect(try await stage.shown(at: "2026-10-21 00:00:00") == "starter 1000 2026-11-12T09:30:04Z")
            try await stage.post(6, 7, 8, 9, 10)
            #expect(try await stage.shown(at: "2026-11-13 00:00:00") == "free 100 2026-12-01T00:00:00Z")
        }
    }

    @Test("C12: a late snapshot takes its place, and the plan it tells of its share", arguments: DatabaseKind.allCases)
    func lateSnapshot(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "late-snapshot") { stage in
            try await stage.post(1, 2, 3, 4, 6, 7)
            #expect(try await stage.shown(at: "2026-10-24 00:00:00") == "starter 1000 2026-11-12T09:30:04Z")
            try await stage.post(5)
            #expect(try await stage.shown(at: "2026-10-24 00:01:00") == "starter 1129 2026-11-12T09:30:04Z")
        }
    }

    @Test("C13: cancelled while past due has access until its end, and no new units", arguments: DatabaseKind.allCases)
    func pastDueCancelled(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "past-due-cancelled") { stage in
            try await stage.post(1, 2, 3, 4)
            try await stage.consume(300, at: "2026-10-20 00:00:00")
            try await stage.post(5, 6, 7, 8, 9)
            #expect(try await stage.shown(at: "2026-11-25 00:00:00") == "starter 700 2026-11-12T09:30:04Z")
            #expect(try await stage.shown(at: "2026-11-26 09:30:20") == "free 100 2026-12-01T00:00:00Z")
        }
    }

    @Test("C14: the greater of two subscriptions counts, the other's bucket waits", arguments: DatabaseKind.allCases)
    func twoSubscriptions(_ kind: DatabaseKind) async throws {
        try await CaseStage.with(kind, "two-subscriptions") { stage in
            try await stage.post(1, 2, 3, 4)
            try await stage.consume(250, at: "2026-10-13 00:00:00")
            try await stage.post(5, 6, 7, 8)
            #expect(try await stage.shown(at: "2026-10-15 00:00:00") == "professional 5000 2026-11-14T10:15:04Z")
            try await stage.post(9, 10, 11, 12, 13)
            #expect(try await stage.shown(at: "2026-11-13 00:00:00") == "professional 5000 2026-11-14T10:15:04Z")
            try await stage.post(14, 15)
            #expect(try await stage.shown(at: "2026-11-15 00:00:00") == "starter 1000 2026-12-12T09:30:04Z")
        }
    }
}
