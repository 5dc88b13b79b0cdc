import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// C15 to C26, delivered over HTTP to both databases, with a clock that is moved.
@Suite("Worked cases from real histories over HTTP")
struct HistoryCaseTests {
    /// How quarantined events may come to be judged anew.
    enum Judging: CaseIterable { case tick, resend, retry, rebuild }

    @Test(
        "C15: a wrong setting put right loses nothing, and put wrong again takes nothing away",
        arguments: DatabaseKind.allCases, Judging.allCases)
    func wrongSetting(_ kind: DatabaseKind, _ judging: Judging) async throws {
        try await HistoryStage.with(kind) { stage in
            let store = stage.store
            let wrong = [
                BillingPolicy(acceptance: Acceptance(storeID: "4243")),
                BillingPolicy(acceptance: Acceptance(mode: .live)),
            ]
            let right = BillingPolicy(acceptance: Acceptance(storeID: "4242", mode: .test))
            var subscription = stage.subscription("2026-11-20 10:00:00", renewsAt: "2026-12-20 10:00:00")
            let created = subscription.event("subscription_created")
            try await store.adopt(wrong[0], host: "first")
            #expect(try await stage.post(created) == "quarantined")
            #expect(try await stage.outcomes() == ["quarantined wrong_store: expected 4243, came 4242"])
            #expect(
                try await stage.shown(at: "2026-11-20 11:00:00", afterClock: true) == "free 100 2026-12-01T00:00:00Z")
            try await store.adopt(wrong[1], host: "second")
            #expect(
                try await stage.shown(at: "2026-11-20 11:30:00", afterClock: true) == "free 100 2026-12-01T00:00:00Z")
            let before = try await store.adopt(right, host: "third")
            #expect(before?.changedBy == "second")
            switch judging {
            case .tick: break
            case .resend: #expect(try await stage.post(created, at: "2026-11-20 12:00:00") == "duplicate")
            case .retry:
                let id = try await stage.server.events()[0].id
                #expect(try await store.retry(events: [id], policy: BillingPolicy()).haveChanged)
                #expect(try await !store.retry(events: [id], policy: BillingPolicy()).haveChanged)
            case .rebuild: _ = try await Rebuild(store, policy: BillingPolicy()).run(check: false)
            }
            if judging != .tick {
                #expect(try await store.user(id: HistoryStage.user)?.subscriptionTier == "starter")
            }
            #expect(
                try await stage.shown(at: "2026-11-20 12:00:00", afterClock: true)
                    == "starter 1000 2026-12-20T10:00:00Z")
            try await store.adopt(wrong[0], host: "fourth")
            #expect(
                try await stage.shown(at: "2026-11-20 13:00:00", afterClock: true)
                    == "starter 1000 2026-12-20T10:00:00Z")
            #expect(try await stage.outcomes()[0].hasPrefix("applied"))
        }
    }

    @Test("C16: a clock that ran four days ahead is repaired by the next tick", arguments: DatabaseKind.allCases)
    func clockAhead(_ kind: DatabaseKind) async throws {
        try await HistoryStage.with(kind) { stage in
            var subscription = stage.subscription("2026-11-20 10:00:00", renewsAt: "2026-12-20 10:00:00")
            try await stage.post(subscription.event("subscription_created"))
            try await stage.leave(640, at: "2026-11-20 12:00:00")
            (subscription.status, subscription.endsAt) = ("cancelled", .utc("2026-11-29 23:00:00"))
            try await stage.post(subscription.event("subscription_cancelled", at: .utc("2026-11-21 10:00:00")))
            try await stage.tick(at: "2026-12-02 12:00:00")
            #expect(try await stage.store.user(id: HistoryStage.user)?.subscriptionTier == "free")
            // Not by this process alone: the row itself says for which moment it was computed.
            let other = try stage.database.open(clock: TestClock(.utc("2026-11-28 12:00:00")))
            #expect(try await Tick(other, policy: BillingPolicy()).run().changed == 1)
            await other.close()
            #expect(try await stage.shown(at: "2026-11-28 12:00:00") == "starter 640 2026-12-20T10:00:00Z")
            #expect(try await Tick(stage.store, policy: BillingPolicy()).run().accounts == 0)
        }
    }

    @Test(
        "C17: a trial cut short by payment ends there; resumed without payment it goes on",
        arguments: DatabaseKind.allCases)
    func trialCutShort(_ kind: DatabaseKind) async throws {
        for (trialEndsAt, renewsAt, isPaid, shown) in [
            (nil, "2026-12-26 10:00:00", true, "starter 1000 2026-12-26T10:00:06Z"),
            ("2026-11-26 10:00:00", "2026-12-26 10:00:00", true, "starter 1000 2026-12-26T10:00:00Z"),
            ("2026-12-07 10:00:00", "2026-12-07 10:00:00", false, "starter 10 2026-12-07T10:00:00Z"),
        ] {
            try await HistoryStage.with(kind) { stage in
                var subscription = stage.subscription("2026-11-23 10:00:00", renewsAt: "2026-12-07 10:00:00")
                (subscription.status, subscription.trialEndsAt) = ("on_trial", subscription.renewsAt)
                try await stage.post(subscription.event("subscription_created"))
                try await stage.leave(10, at: "2026-11-24 10:00:00")
                if isPaid {
                    try await stage.post(subscription.invoice(id: 1, createdAt: .utc("2026-11-26 10:00:04")))
                }
                (subscription.status, subscription.renewsAt) = ("active", .utc(renewsAt))
                subscription.trialEndsAt = trialEndsAt.map(Date.utc)
                try await stage.post(subscription.event("subscription_updated", at: .utc("2026-11-26 10:00:06")))
                #expect(try await stage.shown(at: "2026-11-26 10:01:06") == shown)
            }
        }
    }

    @Test("C18: a trial that was over before we looked is where months start", arguments: DatabaseKind.allCases)
    func trialNotSeen(_ kind: DatabaseKind) async throws {
        try await HistoryStage.with(kind) { stage in
            var subscription = stage.subscription("2026-11-01 10:00:00", renewsAt: "2026-12-04 10:00:00")
            subscription.trialEndsAt = .utc("2026-11-04 10:00:00")
            subscription.billingAnchor = 4
            try await stage.post(subscription.event("subscription_updated", at: .utc("2026-11-04 10:00:14")))
            #expect(try await stage.shown(at: "2026-11-28 00:00:00") == "starter 1000 2026-12-04T10:00:00Z")
            try await stage.leave(400, at: "2026-11-28 01:00:00")
            #expect(try await stage.shown(at: "2026-12-01 11:00:00") == "starter 400 2026-12-04T10:00:00Z")
        }
    }

    @Test("C19: a snapshot without a variant ends the subscription all the same", arguments: DatabaseKind.allCases)
    func variantNull(_ kind: DatabaseKind) async throws {
        try await HistoryStage.with(kind) { stage in
            var subscription = stage.subscription("2026-11-20 10:00:00", renewsAt: "2026-12-20 10:00:00")
            try await stage.post(subscription.event("subscription_created"))
            (subscription.status, subscription.variantID, subscription.renewsAt) = ("expired", nil, nil)
            subscription.endsAt = .utc("2026-11-27 10:00:00")
            try await stage.post(subscription.event("subscription_expired", at: .utc("2026-11-27 10:00:00")))
            #expect(try await stage.shown(at: "2026-11-27 10:01:00") == "free 100 2026-12-01T00:00:00Z")
            #expect(try await stage.store.subscription("9001")?.planID == "starter")
        }
    }

    @Test(
        "C20: an upgrade whose payment failed gives nothing, and its share from its own moment once it is paid",
        arguments: DatabaseKind.allCases)
    func upgradeUnpaid(_ kind: DatabaseKind) async throws {
        try await HistoryStage.with(kind) { stage in
            var subscription = stage.subscription("2026-11-18 10:00:00", renewsAt: "2026-12-18 10:00:00")
            try await stage.post(subscription.event("subscription_created"))
            try await stage.leave(600, at: "2026-11-20 10:00:00")
            (subscription.status, subscription.variantID) = ("past_due", "102")
            subscription.renewsAt = .utc("2026-11-26 10:00:00")
            let change = Date.utc("2026-11-23 10:00:00")
            try await stage.post(subscription.event("subscription_updated", at: change))
            try await stage.post(
                subscription.invoice(
                    "subscription_payment_failed", id: 2, reason: "updated", status: "pending", createdAt: change))
            #expect(try await stage.shown(at: "2026-11-23 11:00:00") == "professional 600 2026-12-18T10:00:00Z")
            try await stage.post(
                subscription.invoice(
                    id: 2, reason: "updated", createdAt: change, updatedAt: .utc("2026-11-24 10:00:00")))
            // 5 of 30 days starter, the rest professional.
            let granted = (1000 * 5 + 5000 * 25) / 30
            #expect(
                try await stage.shown(at: "2026-11-24 11:00:00") == "professional \(granted - 400) 2026-12-18T10:00:00Z"
            )
        }
    }

    /// How the move of a billing day is told.
    enum Move: CaseIterable { case paid, invoiceLost, toYearly, toMonthly }

    @Test(
        "C21, C22: a billing day that moves ends the month, which gives its share, and makes no units",
        arguments: DatabaseKind.allCases, Move.allCases)
    func billingDayMoved(_ kind: DatabaseKind, _ move: Move) async throws {
        for left in [111, nil] {
            try await HistoryStage.with(kind) { stage in
                var subscription = stage.subscription(
                    "2026-10-07 10:00:00", renewsAt: move == .toMonthly ? "2027-10-07 10:00:00" : "2026-11-07 10:00:00")
                try await stage.post(subscription.event("subscription_created"))
                if let left { try await stage.leave(left, at: "2026-10-20 10:00:00") }
                if move == .paid || move == .toYearly {
                    try await stage.post(
                        subscription.invoice(
                            id: 2, reason: move == .paid ? "renewal" : "updated",
                            createdAt: .utc("2026-10-27 10:00:00")))
                }
                subscription.renewsAt = .utc(move == .toYearly ? "2027-10-27 10:00:00" : "2026-11-27 10:00:00")
                subscription.billingAnchor = 27
                try await stage.post(subscription.event("subscription_updated", at: .utc("2026-10-27 10:00:03")))
                let units = left == nil ? 1000 : 756
                #expect(try await stage.shown(at: "2026-10-27 10:01:00") == "starter \(units) 2026-11-27T10:00:00Z")
                guard move != .toYearly else {
                    #expect(try await stage.shown(at: "2026-11-27 12:00:00") == "starter 1000 2026-12-27T10:00:00Z")
                    return
                }
                try await stage.post(
                    subscription.invoice(
                        "subscription_payment_failed", id: 3, status: "pending",
                        createdAt: .utc("2026-11-27 10:00:09")))
                (subscription.status, subscription.renewsAt) = ("past_due", .utc("2026-11-30 10:00:00"))
                try await stage.post(subscription.event("subscription_updated", at: .utc("2026-11-27 10:00:12")))
                #expect(try await stage.shown(at: "2026-11-27 12:00:00") == "starter \(units) 2026-11-27T10:00:00Z")
            }
        }
    }

    @Test("C23: a downgrade takes its share at once, or nothing this month", arguments: DatabaseKind.allCases)
    func downgrade(_ kind: DatabaseKind) async throws {
        for (choice, shown) in [
            ("at_once", ["starter 0 2026-12-13T10:00:00Z", "starter 0 2027-01-13T10:00:00Z"]),
            ("next_month", ["starter 500 2026-12-13T10:00:00Z", "starter 1000 2027-01-13T10:00:00Z"]),
        ] {
            try await HistoryStage.with(kind) { stage in
                var policy = BillingPolicy()
                policy.downgradeUnits = choice == "at_once" ? .atOnce : .nextMonth
                try await stage.store.adopt(policy, host: "test")
                var subscription = stage.subscription(
                    "2026-11-13 10:00:00", renewsAt: "2026-12-13 10:00:00", variant: "102")
                try await stage.post(subscription.event("subscription_created"))
                try await stage.leave(500, at: "2026-11-20 10:00:00")
                subscription.variantID = "101"
                try await stage.post(subscription.event("subscription_updated", at: .utc("2026-11-28 10:00:00")))
                #expect(try await stage.shown(at: "2026-11-28 10:01:00") == shown[0])
                try await stage.post(subscription.invoice(id: 2, createdAt: .utc("2026-12-13 10:00:05")))
                subscription.renewsAt = .utc("2027-01-13 10:00:00")
                try await stage.post(subscription.event("subscription_updated", at: .utc("2026-12-13 10:00:09")))
                #expect(try await stage.shown(at: "2026-12-13 10:01:00") == shown[1])
                guard choice == "at_once" else { return }
                try await stage.post(subscription.invoice(id: 3, createdAt: .utc("2027-01-13 10:00:05")))
                #expect(try await stage.shown(at: "2027-01-13 10:01:00") == "starter 500 2027-02-13T10:00:00Z")
                // Chosen otherwise afterwards, it gives what it would have given from the start.
                policy.downgradeUnits = .nextMonth
                try await stage.store.adopt(policy, host: "test")
                #expect(
                    try await stage.shown(at: "2027-01-13 10:02:00", afterClock: true)
                        == "starter 1000 2027-02-13T10:00:00Z")
            }
        }
    }

    @Test(
        "C24: a full refund keeps units, or takes what was not used by then",
        arguments: DatabaseKind.allCases, ["invoice", "order"])
    func refund(_ kind: DatabaseKind, of what: String) async throws {
        try await HistoryStage.with(kind) { stage in
            var subscription = stage.subscription("2026-10-12 09:30:04", renewsAt: "2026-11-12 09:30:01")
            try await stage.post(subscription.order(createdAt: .utc("2026-10-12 09:30:00")))
            try await stage.post(subscription.event("subscription_created"))
            let paid = Date.utc("2026-10-12 09:30:01")
            try await stage.post(subscription.invoice(id: 1, reason: "initial", createdAt: paid))
            try await stage.leave(700, at: "2026-10-15 00:00:00")
            let at = Date.utc("2026-10-20 00:00:00")
            let refund =
                what == "order"
                ? subscription.order(
                    "order_refunded", status: "refunded", createdAt: .utc("2026-10-12 09:30:00"), updatedAt: at,
                    refundedAt: at)
                : subscription.invoice(
                    "subscription_payment_refunded", id: 1, reason: "initial", status: "refunded", createdAt: paid,
                    updatedAt: at, refundedAt: at)
            try await stage.post(refund)
            #expect(try await stage.shown(at: "2026-10-20 00:01:00") == "starter 700 2026-11-12T09:30:04Z")
            try await stage.store.adopt(BillingPolicy(refundUnits: .take), host: "test")
            #expect(
                try await stage.shown(at: "2026-10-20 00:02:00", afterClock: true) == "starter 0 2026-11-12T09:30:04Z")
            subscription.renewsAt = .utc("2026-12-12 09:30:01")
            try await stage.post(subscription.invoice(id: 2, createdAt: .utc("2026-11-12 09:30:20")))
            #expect(try await stage.shown(at: "2026-11-12 10:00:00") == "starter 1000 2026-12-12T09:30:04Z")
            // Last month's invoice, refunded in a month that is paid.
            let late = Date.utc("2026-11-14 00:00:00")
            try await stage.post(
                subscription.invoice(
                    "subscription_payment_refunded", id: 1, reason: "initial", status: "refunded", createdAt: paid,
                    updatedAt: late, refundedAt: late))
            #expect(try await stage.shown(at: "2026-11-14 00:01:00") == "starter 1000 2026-12-12T09:30:04Z")
        }
    }

    @Test("C25: a granted plan gives its months until it ends", arguments: DatabaseKind.allCases)
    func grant(_ kind: DatabaseKind) async throws {
        try await HistoryStage.with(kind) { stage in
            stage.clock.set(.utc("2026-10-20 12:00:00"))
            try await stage.store.grant(
                "professional", to: HistoryStage.user, until: .utc("2026-12-31 00:00:00"), reason: "beta",
                policy: BillingPolicy())
            #expect(try await stage.shown(at: "2026-10-20 12:01:00") == "professional 5000 2026-11-20T12:00:00Z")
            try await stage.leave(1000, at: "2026-10-25 00:00:00")
            #expect(try await stage.shown(at: "2026-11-20 12:00:00") == "professional 5000 2026-12-20T12:00:00Z")
            let row = try await stage.store.primary.subscriptions(user: HistoryStage.user, limit: 9, before: nil)[0]
            #expect(row.source == .granted && row.status == "active" && row.planID == "professional")
            #expect(row.currentPeriodStart == .utc("2026-11-20 12:00:00"))
            #expect(row.currentPeriodEnd == .utc("2026-12-20 12:00:00"))
            #expect(try await stage.shown(at: "2026-12-30 23:59:59") == "professional 5000 2027-01-20T12:00:00Z")
            #expect(try await stage.shown(at: "2026-12-31 00:00:00") == "free 100 2027-01-01T00:00:00Z")
            let ended = try await stage.store.primary.subscriptions(user: HistoryStage.user, limit: 9, before: nil)[0]
            #expect(ended.status == "expired")
        }
    }

    @Test("C25: no event takes a granted plan, and ending it does", arguments: DatabaseKind.allCases)
    func grantBesidesPurchase(_ kind: DatabaseKind) async throws {
        try await HistoryStage.with(kind) { stage in
            var subscription = stage.subscription("2026-10-12 09:30:04", renewsAt: "2026-11-12 09:30:01")
            try await stage.post(subscription.event("subscription_created"))
            stage.clock.set(.utc("2026-10-20 12:00:00"))
            try await stage.store.grant(
                "professional", to: HistoryStage.user, until: nil, reason: "beta", policy: BillingPolicy())
            (subscription.status, subscription.endsAt) = ("expired", .utc("2026-10-25 00:00:00"))
            try await stage.post(subscription.event("subscription_expired", at: .utc("2026-10-25 00:00:00")))
            #expect(try await stage.shown(at: "2026-10-26 00:00:00") == "professional 5000 2026-11-20T12:00:00Z")
            try await stage.store.endGrants(of: HistoryStage.user, reason: nil, policy: BillingPolicy())
            #expect(try await stage.shown(at: "2026-10-26 00:00:01") == "free 100 2026-11-01T00:00:00Z")
            await #expect(throws: StoreError.conflict("no granted plan of that account runs")) {
                try await stage.store.endGrants(of: HistoryStage.user, reason: nil, policy: BillingPolicy())
            }
        }
    }

    @Test("C26: what is dated ahead waits for its hour, and then counts", arguments: DatabaseKind.allCases)
    func aheadOfTime(_ kind: DatabaseKind) async throws {
        try await HistoryStage.with(kind) { stage in
            var subscription = stage.subscription("2026-10-12 09:30:04", renewsAt: "2026-11-12 09:30:01")
            try await stage.post(subscription.event("subscription_created"))
            subscription.status = "expired"
            let ahead = subscription.event("subscription_expired", at: .utc("2027-10-20 00:00:00"))
            #expect(try await stage.post(ahead, at: "2026-10-20 00:00:00") == "parked")
            #expect(try await stage.outcomes().first == "parked ahead_of_time")
            #expect(try await stage.shown(at: "2026-10-20 00:01:00") == "starter 1000 2026-11-12T09:30:04Z")
            #expect(try await stage.shown(at: "2027-10-19 22:59:59") == "starter 1000 2026-11-12T09:30:04Z")
            #expect(
                try await stage.shown(at: "2027-10-19 23:00:00", afterClock: true) == "free 100 2027-11-01T00:00:00Z")
            #expect(try await stage.outcomes().first == "applied released")
        }
    }

    @Test(
        "A match by e-mail is remembered, whoever changes the account's e-mail, and whatever the setting says then",
        arguments: DatabaseKind.allCases, ["command", "sql"])
    func emailChanged(_ kind: DatabaseKind, by means: String) async throws {
        try await HistoryStage.with(kind, ["SELEXTRACT_MATCH_BY_EMAIL": "true"]) { stage in
            var subscription = stage.subscription("2026-11-20 10:00:00", renewsAt: "2026-12-20 10:00:00")
            subscription.userID = nil
            try await stage.post(subscription.event("subscription_created"))
            if means == "sql" {
                try await stage.database.execute("update users set email = 'ada2@example.com'")
            } else {
                var changes = UserChanges()
                changes.email = "ada2@example.com"
                _ = try await stage.store.updateUser(HistoryStage.user, changes)
            }
            try await stage.post(
                subscription.invoice(id: 1, reason: "initial", createdAt: .utc("2026-11-20 10:00:02")))
            #expect(try await stage.shown(at: "2026-11-20 11:00:00") == "starter 1000 2026-12-20T10:00:00Z")
            let policy = BillingPolicy(matchByEmail: true)
            let newcomer = try await stage.store.createAccount(email: "ada@example.com", id: nil, policy: policy).id
            #expect(try await stage.shown(at: "2026-11-20 12:00:00", of: newcomer) == "free 100 2026-12-20T11:00:00Z")
            try await stage.store.adopt(BillingPolicy(matchByEmail: false), host: "test")
            #expect(
                try await stage.shown(at: "2026-11-20 13:00:00", afterClock: true)
                    == "starter 1000 2026-12-20T10:00:00Z")
        }
    }
}
