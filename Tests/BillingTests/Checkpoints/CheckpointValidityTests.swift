import Billing
import Foundation
import Payloads
import Testing

/// What makes a checkpoint void, and what does not: each beside its neighbour that comes out the same.
@Suite("Checkpoints that hold, and that do not")
struct CheckpointValidityTests {
    /// Paid through April 2027, with a checkpoint that closes what begins before 12 February.
    private static func paid(
        _ policy: BillingPolicy = BillingPolicy(), _ between: (inout CheckpointCase) throws -> Void = { _ in }
    ) throws -> (CheckpointCase, Checkpoint) {
        var account = try CheckpointCase(policy)
        try account.pay(through: 5)
        try between(&account)
        try account.pay(through: 15)
        account.stage.now = now
        let checkpoint = try #require(try account.made())
        #expect(checkpoint.closedBefore == closed)
        return (account, checkpoint)
    }

    private static let closed = Date.utc("2027-02-12 09:30:04")
    private static let now = Date.utc("2027-04-20 12:00:00")
    private static let day = 86_400.0

    @Test("Nothing, a change of plan, a pause and an end leave it be")
    func holds() throws {
        let (account, checkpoint) = try Self.paid()
        #expect(try account.answer(checkpoint) == .same)
        let changed = account.snapshot(at: Self.now) { $0.variantID = "102" }
        #expect(try account.answer(checkpoint, [changed]) == .same)
        let paused = account.snapshot(at: Self.now) { ($0.status, $0.pauseMode) = ("paused", "void") }
        #expect(try account.answer(checkpoint, [paused]) == .same)
        let cancelled = account.snapshot(at: Self.now) { ($0.status, $0.endsAt) = ("cancelled", $0.renewsAt) }
        #expect(try account.answer(checkpoint, [cancelled, changed]) == .same)
    }

    @Test("What a store loads of closed months changes nothing, and stays as it is")
    func closedRows() throws {
        let (account, checkpoint) = try Self.paid {
            try $0.consume(10, at: CheckpointCase.start.adding(months: 5) + 60)
        }
        let buckets = Array(account.stage.buckets.values)
        let charges = account.stage.charges.map { ChargeRow(userID: $0.key.userID, charge: $0.value) }
        #expect(charges.contains { $0.charge.begin < Self.closed && $0.charge.line != .free })
        #expect(try account.answer(checkpoint) { ($0.buckets, $0.charges) = (buckets, charges) } == .same)
    }

    @Test("An event that comes late, dated up to a week after the closed months, makes it void")
    func late() throws {
        let (account, checkpoint) = try Self.paid()
        for (days, answer) in [
            (-40.0, CheckpointCase.Answer.void), (-6, .void), (7, .void), (7.01, .same), (30, .same),
        ] {
            let body = account.snapshot(at: Self.closed + days * Self.day) { $0.variantID = "102" }
            #expect(try account.answer(checkpoint, [body]) == answer, "\(days) days")
        }
    }

    @Test("A stored event that was not looked at, or that it does not know, makes it void")
    func undecided() throws {
        let (account, checkpoint) = try Self.paid()
        let kept = try #require(account.stage.events.first { checkpoint.kept.contains($0.id) })
        #expect(try account.answer(checkpoint) { loaded in loaded.change(kept.id) { $0.outcome = .failed } } == .void)
        let newest = try #require(account.stage.events.last)
        #expect(try account.answer(checkpoint) { loaded in loaded.change(newest.id) { $0.outcome = .failed } } == .same)
        let other = try #require(
            account.stage.events.first { !$0.event.isOrder && !checkpoint.reads($0.event) })
        #expect(try account.answer(checkpoint) { $0.related += $0.related.contains(other) ? [] : [other] } == .void)
        #expect(try account.answer(checkpoint) { $0.related.removeAll { $0.id == kept.id } } == .void)
        #expect(
            try account.answer(checkpoint) { loaded in loaded.change(newest.id) { $0.isUndecodable = true } } == .void)
    }

    @Test("An invoice for a closed month makes it void, whenever it is told")
    func oldInvoice() throws {
        let (account, checkpoint) = try Self.paid()
        for name in ["subscription_payment_recovered", "subscription_payment_failed"] {
            let status = name.hasSuffix("failed") ? "pending" : "paid"
            let old = account.invoice(
                "renewal", name, status: status, at: Self.closed - 3.01 * Self.day, told: Self.now)
            #expect(try account.answer(checkpoint, [old]) == .void)
            let newer = account.invoice("renewal", name, status: status, at: Self.closed - 3 * Self.day, told: Self.now)
            #expect(try account.answer(checkpoint, [newer]) == .same)
        }
    }

    @Test("A failed invoice for a change of plan in closed months makes it void, one for a later change does not")
    func failedChange() throws {
        let (account, checkpoint) = try Self.paid { $0.subscription.variantID = "102" }
        let failed = account.invoice(
            "updated", "subscription_payment_failed", status: "pending", at: Self.now - 60, told: Self.now)
        #expect(try account.answer(checkpoint, [failed]) == .void)
        let changed = account.snapshot(at: Self.now - 30) { $0.variantID = "103" }
        // Until the change is told, the invoice would be the earlier one's.
        #expect(try account.answer(checkpoint, [changed, failed]) == .void)
        var told = account
        try told.receive(changed)
        #expect(try told.answer(checkpoint, [failed]) == .same)
        // The change is taken back within its second.
        var back = told.subscription
        _ = back.event("subscription_updated", at: Self.now - 30)
        let same = back.event("subscription_updated", snapshotAt: Self.now + 10)
        #expect(try told.answer(checkpoint, [failed, same]) == .void)
    }

    @Test("A paid invoice for a change of plan in closed months makes it void only where units wait for it")
    func paidChange() throws {
        for (upgrade, answer) in [(UpgradeUnits.whenPaid, CheckpointCase.Answer.void), (.atOnce, .same)] {
            let (account, checkpoint) = try Self.paid(BillingPolicy(upgradeUnits: upgrade)) {
                $0.subscription.variantID = "102"
            }
            let invoice = account.invoice("updated", at: Self.now - 60)
            #expect(try account.answer(checkpoint, [invoice]) == answer)
            // It may have failed before.
            let recovered = account.invoice(
                "updated", "subscription_payment_recovered", at: Self.closed - 1, told: Self.now)
            #expect(try account.answer(checkpoint, [recovered]) == .void)
        }
    }

    @Test("A full refund makes it void only where refunds take units, one of the order too")
    func refund() throws {
        for (refunds, answer) in [(RefundUnits.take, CheckpointCase.Answer.void), (.keep, .same)] {
            let (account, checkpoint) = try Self.paid(BillingPolicy(refundUnits: refunds))
            let invoice = account.invoice(
                "renewal", "subscription_payment_refunded", status: "refunded", at: Self.closed + 62 * Self.day,
                told: Self.now)
            #expect(try account.answer(checkpoint, [invoice]) == answer)
            let order = account.subscription.order(
                "order_refunded", status: "refunded", updatedAt: Self.now, refundedAt: Self.now)
            #expect(try account.answer(checkpoint, [order]) == answer)
        }
    }

    @Test("A snapshot with an end or a begin that lies in closed months makes it void")
    func dates() throws {
        let (account, checkpoint) = try Self.paid()
        for status in ["cancelled", "expired"] {
            for (end, answer) in [(Self.closed - 1, CheckpointCase.Answer.void), (Self.closed, .same)] {
                let ended = account.snapshot(at: Self.now) { ($0.status, $0.endsAt) = (status, end) }
                #expect(try account.answer(checkpoint, [ended]) == answer)
            }
        }
        for (end, answer) in [(Self.closed - 1, CheckpointCase.Answer.void), (nil, .void), (Self.closed, .same)] {
            let bridge = account.snapshot(at: Self.now) { ($0.status, $0.trialEndsAt) = ("on_trial", end) }
            #expect(try account.answer(checkpoint, [bridge]) == answer)
        }
        let earlier = account.snapshot(at: Self.now) { $0.createdAt = CheckpointCase.start - 1 }
        #expect(try account.answer(checkpoint, [earlier]) == .void)
    }

    @Test("Other settings, plans, an earlier clock or another owner make it void")
    func circumstances() throws {
        let (account, checkpoint) = try Self.paid()
        #expect(try account.answer(checkpoint) { $0.inForce.revision += 1 } == .void)
        #expect(try account.answer(checkpoint) { $0.catalogVersion += 1 } == .void)
        #expect(try account.answer(checkpoint) { $0.now = Self.closed + 7 * Self.day - 1 } == .void)
        let bob = UUID(uuidString: "0b0b0b0b-44bc-4075-b4b1-25dcb4c6e200").unsafelyUnwrapped
        var moved = account
        moved.stage.others = [CheckpointStage.account(bob, "bob@example.com", at: Self.now)]
        moved.stage.attributions.bindings = [account.subscription.id: bob]
        #expect(try moved.answer(checkpoint) == .void)
        let claimed = try #require(account.stage.events.last)
        #expect(try account.answer(checkpoint) { loaded in loaded.change(claimed.id) { $0.userID = bob } } == .void)
    }

    @Test("What another program took from a closed month makes it void")
    func charge() throws {
        let (account, checkpoint) = try Self.paid()
        func write(_ begin: Date) throws -> CheckpointCase.Answer {
            try account.answer(checkpoint) { loaded in
                loaded.accounts[0].unitsRemaining -= 10
                loaded.accounts[0].lastEntry?.begin = begin
            }
        }
        #expect(try write(Self.closed.adding(months: -1)) == .void)
        #expect(try write(Self.closed) == .same)
    }

    @Test("An earlier trial of the account makes it void if its own was the first")
    func trial() throws {
        var account = try CheckpointCase(trialUntil: CheckpointCase.start.adding(months: 1))
        try account.pay(through: 15)
        account.stage.now = Self.now
        let checkpoint = try #require(try account.made())
        #expect(checkpoint.trialCounts)
        #expect(try account.answer(checkpoint) == .same)
        var other = account.subscription
        (other.id, other.orderID, other.status) = ("910002", "616002", "on_trial")
        for (createdAt, answer) in [(-1.0, CheckpointCase.Answer.void), (1, .same)] {
            other.createdAt = CheckpointCase.start + createdAt
            other.trialEndsAt = other.createdAt + 7 * Self.day
            #expect(try account.answer(checkpoint, [other.event("subscription_created", at: Self.now)]) == answer)
        }
    }

    @Test("If no later month gives units any more it is void, for a closed one is shown then")
    func locked() throws {
        var account = try CheckpointCase()
        try account.pay(through: 12)
        try account.pay(through: 13, invoiced: false)
        account.stage.now = Self.now
        let checkpoint = try #require(try account.made())
        #expect(checkpoint.closedBefore == Self.closed)
        #expect(try account.answer(checkpoint) == .same)
        let failed = account.invoice(
            "renewal", "subscription_payment_failed", status: "pending", at: Self.closed + 5,
            told: Self.closed + 8 * Self.day)
        #expect(try account.answer(checkpoint, [failed]) == .void)
    }
}

extension LoadedAccounts {
    fileprivate mutating func change(_ id: UUID, _ change: (inout StoredEvent) -> Void) {
        for index in related.indices where related[index].id == id { change(&related[index]) }
    }
}
