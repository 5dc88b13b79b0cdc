import Billing
import Foundation
import Payloads
import Testing

/// R13: which invoice is an upgrade's own, what its failure does, and when an upgrade counts that waits for payment.
@Suite("Upgrades and their invoices")
struct UpgradeInvoiceTests {
    private static let month = "2026-10-12 09:30:04"
    /// 11 of the month's 31 days are over.
    private static let change = Date.utc("2026-10-23 09:30:04")
    private static let day: TimeInterval = 86_400

    private func granted(_ account: Case, _ begin: String = month) throws -> Int? {
        try account.bucket(begin, at: "2026-11-13 00:00:00")?.granted
    }

    /// Starter, then professional with a status.
    private func upgraded(
        _ status: String = "active", renewsAt: String = "2026-11-12 09:30:01"
    ) -> (Case, ProviderSubscription) {
        var (account, subscription) = Case.created(renewsAt: renewsAt)
        (subscription.status, subscription.variantID) = (status, "102")
        account.bodies.append(subscription.event("subscription_updated", at: Self.change))
        return (account, subscription)
    }

    private func failed(_ subscription: ProviderSubscription, id: Int = 2, at: Date = change) -> [UInt8] {
        subscription.invoice(
            "subscription_payment_failed", id: id, reason: "updated", status: "pending", createdAt: at)
    }

    // MARK: Failures

    @Test("One whose payment failed counts once the subscription is active in that plan, not if it was so before")
    func active() throws {
        var (account, subscription) = upgraded("past_due")
        account.bodies.append(failed(subscription))
        #expect(try granted(account) == 1000)
        subscription.status = "active"
        account.bodies.append(subscription.event("subscription_updated", at: Self.change + Self.day))
        #expect(try granted(account) == (1000 * 11 + 5000 * 20) / 31)

        (account, subscription) = upgraded()
        account.bodies.append(failed(subscription, at: Self.change + 3600))
        #expect(try granted(account) == 1000)
    }

    @Test("It does not count because the same plan comes back after another")
    func back() throws {
        var (account, subscription) = upgraded("past_due")
        account.bodies.append(failed(subscription))
        (subscription.status, subscription.variantID) = ("active", "101")
        account.bodies.append(subscription.event("subscription_updated", at: Self.change + Self.day))
        subscription.variantID = "102"
        account.bodies.append(subscription.event("subscription_updated", at: Self.change + 5 * Self.day))
        #expect(try granted(account) == (1000 * 16 + 5000 * 15) / 31)
    }

    // MARK: Which invoice

    @Test("Of several invoices the nearest is its own, whatever their numbers", arguments: [(2, 3), (3, 2)])
    func nearestInvoice(own: Int, other: Int) throws {
        var (account, subscription) = upgraded("past_due")
        account.bodies += [
            failed(subscription, id: own),
            subscription.invoice(id: other, reason: "updated", createdAt: Self.change + Self.day),
        ]
        #expect(try granted(account) == 1000)
    }

    @Test("An invoice from just before a change belongs to it, not to the change before")
    func nearestChange() throws {
        var (account, subscription) = upgraded(renewsAt: "2026-12-12 09:30:01")
        account.policy.upgradeUnits = .whenPaid
        subscription.variantID = "103"
        let second = Self.change + 5 * Self.day
        account.bodies += [
            subscription.event("subscription_updated", at: second),
            subscription.invoice(id: 2, reason: "updated", createdAt: second - 1800),
        ]
        #expect(try granted(account) == (1000 * 16 + 25_000 * 15) / 31)
    }

    // MARK: When it counts

    @Test("Unpaid, it counts from the month that begins about when what was paid before it ends")
    func paidThrough() throws {
        for (before, with) in [
            ("2026-11-12 09:30:10", "2026-11-12 09:30:10"), ("2026-11-12 09:30:01", "2026-12-12 09:30:01"),
            ("2026-11-13 09:30:04", "2026-11-13 09:30:04"),
        ] {
            var (account, subscription) = Case.created(renewsAt: before)
            account.policy.upgradeUnits = .whenPaid
            (subscription.variantID, subscription.renewsAt) = ("102", .utc(with))
            account.bodies += [
                subscription.event("subscription_updated", at: Self.change),
                subscription.invoice(id: 2, createdAt: .utc("2026-11-12 09:30:20")),
            ]
            #expect(try granted(account) == 1000)
            #expect(try granted(account, "2026-11-12 09:30:04") == 5000)
        }
    }

    @Test("Unpaid, it counts from where the billing day moves to")
    func movedDay() throws {
        var (account, _) = upgraded(renewsAt: "2026-11-12 09:30:01")
        account.policy.upgradeUnits = .whenPaid
        var moved = ProviderSubscription(
            userID: Case.user, createdAt: .utc(Self.month), renewsAt: .utc("2026-11-23 09:30:04"))
        moved.variantID = "102"
        account.bodies[1] = moved.event("subscription_updated", at: Self.change)
        #expect(try granted(account, "2026-10-23 09:30:04") == 5000)
        #expect(try granted(account) == 1000 * 11 / 31)
    }

    // MARK: Downgrades in the next month

    @Test("After a downgrade the greatest plan so far counts on, and the next month has its own")
    func nextMonth() throws {
        var (account, subscription) = upgraded(renewsAt: "2026-12-12 09:30:01")
        account.policy.downgradeUnits = .nextMonth
        subscription.variantID = "101"
        account.bodies.append(subscription.event("subscription_updated", at: Self.change + Self.day))
        #expect(try granted(account) == (1000 * 11 + 5000 * 20) / 31)
        #expect(try granted(account, "2026-11-12 09:30:04") == 1000)
    }

    @Test("After a variant that is not mapped, changes count as before")
    func unmapped() throws {
        var (account, subscription) = Case.created()
        for (variant, at) in [("999", Self.change - Self.day), ("102", Self.change)] {
            subscription.variantID = variant
            account.bodies.append(subscription.event("subscription_updated", at: at))
        }
        #expect(try granted(account) == (1000 * 11 + 5000 * 20) / 31)
    }
}
