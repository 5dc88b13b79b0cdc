import Billing
import Foundation
import Payloads
import Testing

/// Of which histories checkpoints are made, how late they reach, and what they keep.
@Suite("The making of checkpoints")
struct CheckpointMakingTests {
    private static let now = Date.utc("2027-04-20 12:00:00")
    private static let day = 86_400.0

    /// Paid through April 2027, with something in between after a month was paid.
    private static func paid(
        _ policy: BillingPolicy = BillingPolicy(), after month: Int = 5, through last: Int = 15,
        _ between: (inout CheckpointCase) throws -> Void = { _ in }
    ) throws -> CheckpointCase {
        var account = try CheckpointCase(policy)
        try account.pay(through: month)
        try between(&account)
        try account.pay(through: last)
        account.stage.now = now
        return account
    }

    /// The month in which closed months end.
    private static func closed(_ account: CheckpointCase) throws -> String? {
        var account = account
        return try account.made().map { String($0.closedBefore.formatted(.iso8601).prefix(10)) }
    }

    @Test("Two whole months lie between the closed ones and now")
    func distance() throws {
        var account = try Self.paid(through: 14)
        account.stage.now = .utc("2027-04-12 09:30:03")
        #expect(try Self.closed(account) == "2027-01-12")
        account.stage.now += 1
        #expect(try Self.closed(account) == "2027-02-12")
    }

    @Test("A short history gets none")
    func short() throws {
        var account = try CheckpointCase()
        try account.pay(through: 8)
        account.stage.now = CheckpointCase.start.adding(months: 8) + Self.day
        #expect(try account.made() == nil)
        try account.pay(through: 10)
        account.stage.now = CheckpointCase.start.adding(months: 10) + Self.day
        let checkpoint = try #require(try account.made())
        #expect(checkpoint.events - checkpoint.kept.count >= 16)
    }

    @Test("Its kept events are few, and all of the second of each")
    func kept() throws {
        var account = try Self.paid { account in
            account.subscription.variantID = "102"
            let told = CheckpointCase.start.adding(months: 5) + 10 * Self.day
            try account.receive(account.subscription.event("subscription_plan_changed", at: told))
            try account.receive(account.subscription.event("subscription_updated", snapshotAt: told + 1))
        }
        let checkpoint = try #require(try account.made())
        #expect(checkpoint.kept.count <= 10)
        #expect(checkpoint.events == 40)
        #expect(try account.answer(checkpoint) == .same)
    }

    @Test("What the last closed month owes is carried on")
    func debt() throws {
        var account = try Self.paid(after: 11) { account in
            let begin = CheckpointCase.start.adding(months: 11)
            account.subscription.variantID = "102"
            try account.receive(account.subscription.event("subscription_plan_changed", at: begin + 60))
            try account.consume(5000, at: begin + 120)
            account.subscription.variantID = "101"
            try account.receive(account.subscription.event("subscription_plan_changed", at: begin + 180))
        }
        let checkpoint = try #require(try account.made())
        #expect(checkpoint.carried < -2000)
        #expect(try account.answer(checkpoint) == .same)
    }

    @Test("A month that is locked could still be unlocked: it is not closed, nor is what comes after it")
    func locked() throws {
        var account = try Self.paid(after: 10) { account in
            let paused = CheckpointCase.start.adding(months: 10) + 10 * Self.day
            try account.receive(account.snapshot(at: paused) { ($0.status, $0.pauseMode) = ("paused", "void") })
            account.skip()
            account.skip()
        }
        #expect(try Self.closed(account) == "2026-11-12")
        // Also when the pause is long over.
        try account.pay(through: 18)
        account.stage.now = .utc("2027-07-20 12:00:00")
        #expect(try Self.closed(account) == "2026-11-12")
    }

    @Test("A pause without access is over when something was paid")
    func resuming() throws {
        func account(paidLater: Bool) throws -> CheckpointCase {
            try Self.paid(after: 12, through: paidLater ? 15 : 12) { account in
                let paused = CheckpointCase.start.adding(months: 12) + 5 * Self.day
                try account.receive(account.snapshot(at: paused) { ($0.status, $0.pauseMode) = ("paused", "void") })
                try account.receive(account.snapshot(at: paused + 3 * Self.day))
            }
        }
        #expect(try Self.closed(account(paidLater: false)) == "2027-01-12")
        #expect(try Self.closed(account(paidLater: true)) == "2027-01-12")
        var later = try account(paidLater: true)
        try later.pay(through: 16)
        later.stage.now = Self.now.adding(months: 1)
        #expect(try Self.closed(later) == "2027-03-12")
    }

    @Test("The month that is shown is never closed")
    func shown() throws {
        var account = try CheckpointCase()
        try account.pay(through: 11)
        let failed = CheckpointCase.start.adding(months: 12)
        try account.receive(account.snapshot(at: failed + 60) { $0.status = "past_due" })
        account.stage.now = .utc("2027-06-20 12:00:00")
        #expect(try Self.closed(account) == "2026-12-12")
    }

    @Test("An event that waits keeps open what it may change")
    func waiting() throws {
        let account = try Self.paid(after: 12) { account in
            let told = CheckpointCase.start.adding(months: 12) + 5 * Self.day
            try account.receive(account.snapshot(at: told) { $0.variantID = "999" })
        }
        #expect(try Self.closed(account) == "2026-12-12")
    }

    @Test("A full refund prevents it only where refunds take units")
    func refund() throws {
        for (policy, closed) in [(RefundUnits.take, nil), (.keep, "2027-02-12")] {
            let account = try Self.paid(BillingPolicy(refundUnits: policy)) { account in
                let paid = CheckpointCase.start.adding(months: 5) + 5
                try account.receive(
                    account.invoice(
                        "renewal", "subscription_payment_refunded", status: "refunded", at: paid,
                        told: paid + Self.day))
            }
            #expect(try Self.closed(account) == closed)
        }
    }

    @Test("An upgrade that waits for its payment keeps open the month from which it counts")
    func upgrade() throws {
        let account = try Self.paid(BillingPolicy(upgradeUnits: .whenPaid), after: 12) { account in
            account.subscription.variantID = "102"
            let told = CheckpointCase.start.adding(months: 12) + 5 * Self.day
            // Paid for a year at the old price.
            try account.receive(
                account.snapshot(at: told - 60) { account in
                    account.variantID = "101"
                    account.renewsAt = CheckpointCase.start.adding(months: 24)
                })
            try account.receive(account.subscription.event("subscription_plan_changed", at: told))
        }
        #expect(try Self.closed(account) == "2027-01-12")
    }

    @Test("Billing days that moved, the trial and the order are kept: later events build upon them")
    func moved() throws {
        var account = try CheckpointCase(trialUntil: CheckpointCase.start.adding(months: 1))
        try account.pay(through: 6)
        var due = CheckpointCase.start.adding(months: 6)
        for months in [3, 8] {
            due += 8 * Self.day
            for _ in 0..<months {
                account.stage.now = due + 60
                try account.receive(account.invoice("renewal", at: due))
                let paid = account.snapshot(at: due + 5) { $0.renewsAt = due.adding(months: 1) }
                try account.receive(paid)
                due = due.adding(months: 1)
            }
        }
        account.stage.now = due - Self.day
        let checkpoint = try #require(try account.made())
        #expect(try account.answer(checkpoint) == .same)
        let refunded = account.subscription.order("order_refunded", status: "refunded", updatedAt: account.stage.now)
        #expect(try account.answer(checkpoint, [refunded]) == .same)
    }

    @Test("However long the history is, a fold reads little of it")
    func bounded() throws {
        var account = try CheckpointCase()
        var checkpoints: [Checkpoint] = []
        var read: [Int] = []
        for month in 1...132 {
            let due = CheckpointCase.start.adding(months: month)
            account.stage.now = due + 60
            account.subscription.renewsAt = CheckpointCase.start.adding(months: month + 1)
            // A plan for two years, then another.
            account.subscription.variantID = month % 48 < 24 ? "101" : "102"
            let bodies = [
                account.invoice("renewal", at: due + 5),
                account.subscription.event("subscription_updated", at: due + 10),
                account.subscription.event("subscription_updated", at: due + 10, snapshotAt: due + 20),
            ]
            read.append(try account.stage.receive(bodies, &checkpoints))
        }
        #expect(account.stage.events.count > 390)
        let checkpoint = try #require(checkpoints.first)
        #expect(checkpoint.kept.count <= 10)
        #expect(checkpoint.events > 330)
        // Now and then a newer one is made of all.
        #expect(read.count { $0 > 70 } <= 20)
        #expect(read.suffix(30).count { $0 <= 70 } >= 26)
        let again = try account.stage.loaded().fold()
        #expect(again.changes.buckets.isEmpty && again.changes.removedBuckets.isEmpty)
        #expect(again.changes.subscriptions.isEmpty && again.changes.entries.isEmpty)
        #expect(account.stage.buckets.values.count { $0.bucket.line != .free } == 133)
    }
}
