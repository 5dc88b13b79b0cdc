import Billing
import Foundation
import Payloads
import Testing

/// R18: what refunds take, where they take units at all.
@Suite("Refunds")
struct RefundTests {
    private static let first = "2026-10-12T09:30:04Z"
    private static let second = "2026-11-12T09:30:04Z"

    private func purchase() -> (Case, ProviderSubscription) {
        var (account, subscription) = Case.purchase()
        account.policy.refundUnits = .take
        return (account, subscription)
    }

    private func refund(
        _ subscription: ProviderSubscription, of id: Int = 7_300_001, reason: String = "initial",
        status: String = "refunded", createdAt: String = "2026-10-12 09:30:01", at: String, told: String? = nil
    ) -> [UInt8] {
        subscription.invoice(
            "subscription_payment_refunded", id: id, reason: reason, status: status, createdAt: .utc(createdAt),
            updatedAt: .utc(told ?? at), refundedAt: .utc(at))
    }

    @Test("A partial refund takes nothing")
    func partial() throws {
        for status in ["partial_refund", "partial_refunded"] {
            var (account, subscription) = purchase()
            account.bodies.append(refund(subscription, status: status, at: "2026-10-20 00:00:00"))
            #expect(try account.shown(at: "2026-10-21 00:00:00") == "starter 1000 2026-11-12T09:30:04Z")
        }
    }

    @Test("It takes from its moment on, however late it is told, and leaves what was used by then")
    func moment() throws {
        var (account, subscription) = purchase()
        try account.consume(300, at: "2026-10-15 00:00:00")
        try account.consume(200, at: "2026-10-22 00:00:00")
        account.bodies.append(refund(subscription, at: "2026-10-20 00:00:00", told: "2026-10-25 00:00:00"))
        let bucket = try account.bucket("2026-10-12 09:30:04", at: "2026-10-26 00:00:00")
        #expect(bucket?.granted == 300)
        #expect(bucket?.remaining == -200)
    }

    @Test("Told of before its moment, it takes nothing until then, and one has to look at that moment")
    func toldBefore() throws {
        var (account, subscription) = purchase()
        account.bodies.append(refund(subscription, at: "2026-10-25 00:00:00", told: "2026-10-20 00:00:00"))
        #expect(try account.shown(at: "2026-10-21 00:00:00") == "starter 1000 2026-11-12T09:30:04Z")
        #expect(try account.state(at: "2026-10-21 00:00:00").nextChange == .utc("2026-10-25 00:00:00"))
        #expect(try account.shown(at: "2026-10-25 00:00:00") == "starter 0 2026-11-12T09:30:04Z")
    }

    @Test("It takes of the bucket that is current then, and a payment made later gives nothing of it back")
    func current() throws {
        var (account, subscription) = purchase()
        account.bodies.append(refund(subscription, at: "2026-10-20 00:00:00"))
        account.bodies.append(subscription.invoice(id: 7_300_002, createdAt: .utc("2026-11-12 09:30:20")))
        #expect(try account.bucket("2026-10-12 09:30:04", at: "2026-11-13 00:00:00")?.granted == 0)
        #expect(try account.shown(at: "2026-11-13 00:00:00") == "starter 1000 2026-12-12T09:30:04Z")

        (account, subscription) = purchase()
        account.bodies += [
            subscription.invoice(id: 7_300_002, createdAt: .utc("2026-11-12 09:30:20")),
            refund(
                subscription, of: 7_300_002, reason: "renewal", createdAt: "2026-11-12 09:30:20",
                at: "2026-11-14 00:00:00"),
        ]
        #expect(try account.bucket("2026-10-12 09:30:04", at: "2026-11-15 00:00:00")?.granted == 1000)
        #expect(try account.shown(at: "2026-11-15 00:00:00") == "starter 0 2026-12-12T09:30:04Z")
    }

    @Test("What was said before it covers no month that begins after; only a later renewal does")
    func ahead() throws {
        var (account, subscription) = Case.created(renewsAt: "2027-10-12 09:30:01")
        account.policy.refundUnits = .take
        let paid = subscription.invoice(id: 1, reason: "initial", createdAt: .utc("2026-10-12 09:30:05"))
        account.bodies.append(paid)
        #expect(try account.begins(at: "2026-11-13 00:00:00").count == 12)
        account.bodies.append(
            refund(subscription, of: 1, createdAt: "2026-10-12 09:30:05", at: "2026-10-20 00:00:00"))
        #expect(try account.begins(at: "2026-11-13 00:00:00") == [Self.first])
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-20 00:00:00")))
        #expect(try account.begins(at: "2026-11-21 00:00:00") == [Self.first])
        subscription.renewsAt = .utc("2027-11-12 09:30:01")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-12-01 00:00:00")))
        #expect(try account.begins(at: "2026-12-02 00:00:00").contains("2026-12-12T09:30:04Z"))
    }

    @Test("An invoice that was given back before its month pays for nothing")
    func givenBack() throws {
        var (account, subscription) = purchase()
        account.bodies.append(subscription.invoice(id: 7_300_002, createdAt: .utc("2026-11-11 09:30:00")))
        #expect(try account.begins(at: "2026-11-13 00:00:00") == [Self.first, Self.second])
        account.bodies.append(
            refund(
                subscription, of: 7_300_002, reason: "renewal", createdAt: "2026-11-11 09:30:00",
                at: "2026-11-12 00:00:00"))
        #expect(try account.begins(at: "2026-11-13 00:00:00") == [Self.first])
    }

    // MARK: Orders

    @Test("An order's refund takes of what was bought with it, unless a renewal was paid by then")
    func orders() throws {
        let (account, subscription) = purchase()
        func shown(_ order: String, beside bodies: [[UInt8]] = []) throws -> String {
            var (account, subscription) = (account, subscription)
            subscription.orderID = order
            let refunded = Date.utc("2026-10-20 00:00:00")
            // A second before its own invoice.
            account.bodies.append(
                subscription.order(
                    "order_refunded", status: "refunded", createdAt: .utc("2026-10-12 09:30:00"), updatedAt: refunded,
                    refundedAt: refunded))
            account.bodies += bodies
            return try account.shown(at: "2026-11-11 00:00:00")
        }
        #expect(try shown("616001") == "starter 0 2026-11-12T09:30:04Z")
        #expect(try shown("616999") == "starter 1000 2026-11-12T09:30:04Z")
        let renewal = subscription.invoice(id: 2, createdAt: .utc("2026-10-19 00:00:00"))
        #expect(try shown("616001", beside: [renewal]) == "starter 1000 2026-11-12T09:30:04Z")
    }

    @Test("An order that is held to be fraudulent is no refund")
    func fraudulent() throws {
        var (account, subscription) = purchase()
        account.bodies.append(
            subscription.order("order_created", status: "fraudulent", updatedAt: .utc("2026-10-20 00:00:00")))
        #expect(try account.shown(at: "2026-10-21 00:00:00") == "starter 1000 2026-11-12T09:30:04Z")
    }

    // MARK: Changes of plan

    @Test("Refunding an upgrade's own invoice undoes the upgrade, and takes nothing else; kept, it undoes nothing")
    func upgrade() throws {
        var (account, subscription) = purchase()
        let change = Date.utc("2026-10-23 09:30:04")
        subscription.variantID = "102"
        account.bodies += [
            subscription.event("subscription_updated", at: change),
            subscription.invoice(id: 9, reason: "updated", createdAt: change),
            refund(subscription, of: 9, reason: "updated", createdAt: "2026-10-23 09:30:04", at: "2026-10-25 00:00:00"),
        ]
        let share = (1000 * 11 + 5000 * 20) / 31
        #expect(try account.shown(at: "2026-10-26 00:00:00") == "professional 1000 2026-11-12T09:30:04Z")
        account.policy.refundUnits = .keep
        #expect(try account.shown(at: "2026-10-26 00:00:00") == "professional \(share) 2026-11-12T09:30:04Z")
    }
}
