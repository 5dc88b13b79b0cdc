import Billing
import Foundation
import Payloads
import Testing

@Suite("Probe")
struct ProbeTests {
    @Test func refundOrder() throws {
        var (account, subscription) = Case.purchase()
        account.policy.refundUnits = .take
        let at = Date.utc("2026-10-20 00:00:00")
        let a = subscription.invoice("subscription_payment_refunded", id: 7_300_001, reason: "updated", status: "refunded", createdAt: at, updatedAt: at, refundedAt: at)
        let b = subscription.invoice("subscription_payment_refunded", id: 7_300_001, reason: "initial", status: "refunded", createdAt: .utc("2026-10-12 09:30:01"), updatedAt: at, refundedAt: at)
        let before = account.bodies
        account.bodies = before + [a, b]
        print("F1", try account.shown(at: "2026-10-21 00:00:00"))
        account.bodies = before + [b, a]
        print("F1", try account.shown(at: "2026-10-21 00:00:00"))
        _ = subscription
    }
    @Test func voidPauseMoves() throws {
        var (account, subscription) = Case.created()
        (subscription.status, subscription.pauseMode) = ("paused", "void")
        account.bodies.append(subscription.event("subscription_paused", at: .utc("2026-11-12 09:00:00")))
        (subscription.status, subscription.pauseMode) = ("active", nil)
        subscription.renewsAt = .utc("2026-12-20 00:00:00")
        account.bodies.append(subscription.event("subscription_unpaused", at: .utc("2026-11-20 00:00:00")))
        print("P28", try account.begins(at: "2026-11-21 00:00:00"), try account.shown(at: "2026-11-21 00:00:00"))
        var paid = account
        paid.bodies.append(subscription.invoice(id: 2, createdAt: .utc("2026-11-20 00:00:00")))
        print("P28 paid", try paid.begins(at: "2026-11-21 00:00:00"), try paid.shown(at: "2026-11-21 00:00:00"))
        subscription.renewsAt = .utc("2027-01-20 00:00:00")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-12-20 00:00:03")))
        print("P28 renewed", try account.begins(at: "2026-12-21 00:00:00"), try account.shown(at: "2026-12-21 00:00:00"))
    }
    @Test func whenPaidMove() throws {
        var (account, subscription) = Case.created(at: "2026-10-07 10:00:00", renewsAt: "2026-11-07 10:00:00")
        account.policy.upgradeUnits = .whenPaid
        subscription.variantID = "102"
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-20 10:00:00")))
        subscription.renewsAt = .utc("2026-11-27 10:00:00")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-27 10:00:03")))
        account.bodies.append(subscription.invoice(id: 2, createdAt: .utc("2026-10-27 10:00:00")))
        print("P1", try account.shown(at: "2026-10-28 00:00:00"), try account.shown(at: "2026-11-28 00:00:00"))
        (account, subscription) = Case.created(at: "2026-10-07 10:00:00", renewsAt: "2026-11-07 10:00:00")
        account.policy.upgradeUnits = .whenPaid
        subscription.variantID = "102"
        subscription.renewsAt = .utc("2027-10-27 10:00:00")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-27 10:00:03")))
        print("P1b", try account.shown(at: "2026-10-28 00:00:00"), try account.shown(at: "2026-11-28 00:00:00"))
    }
    @Test func cancelResumePastDue() throws {
        var (account, subscription) = Case.purchase()
        account.bodies.append(subscription.invoice("subscription_payment_failed", id: 2, status: "pending", createdAt: .utc("2026-11-12 09:30:20")))
        (subscription.status, subscription.renewsAt) = ("past_due", .utc("2026-11-17 09:30:01"))
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:21")))
        (subscription.status, subscription.renewsAt) = ("active", .utc("2026-11-17 09:30:01"))
        account.bodies.append(subscription.event("subscription_resumed", at: .utc("2026-11-13 09:30:21")))
        print("P31", try account.shown(at: "2026-11-14 00:00:00"))
    }
}
