import Billing
import Foundation
import Payloads
import Testing

/// No provider says such things; but what it says must lead to one state, whatever it is (R0).
@Suite("Facts that contradict each other")
struct ContradictionTests {
    @Test("In whatever order they came, the account is the same, and the invariants hold")
    @concurrent
    func anyOrder() async throws {
        for seed in LifeTests.seeds {
            var random = SplitMix(seed: seed &+ 3)
            var account = Self.account(&random)
            let policy = BillingPolicy(
                upgradeUnits: seed % 2 == 0 ? .atOnce : .whenPaid,
                downgradeUnits: seed / 2 % 2 == 0 ? .atOnce : .nextMonth,
                refundUnits: seed / 4 % 2 == 0 ? .keep : .take)
            let moment = account.createdAt.addingTimeInterval(Double.random(in: 0...(120 * 86_400), using: &random))
            let state = account.state(at: moment, catalog: Case.plans, policy: policy)
            if let problem = state.violation(charged: 0, now: moment) { Issue.record("seed \(seed): \(problem)") }
            for _ in 0..<3 {
                account.events.shuffle(using: &random)
                account.events.append(account.events[0])
                let again = account.state(at: moment, catalog: Case.plans, policy: policy)
                if again != state { Issue.record("another outcome: seed \(seed)") }
            }
        }
    }

    @Test("An invoice whose refunds tell of different reasons is one refund, whichever came first")
    func refundsOfOneInvoice() throws {
        let (purchase, subscription) = Case.purchase()
        var account = purchase
        account.policy.refundUnits = .take
        let at = Date.utc("2026-10-20 00:00:00")
        let refunds = [("updated", at), ("initial", Date.utc("2026-10-12 09:30:01"))].map { reason, createdAt in
            subscription.invoice(
                "subscription_payment_refunded", id: 7_300_001, reason: reason, status: "refunded",
                createdAt: createdAt, updatedAt: at, refundedAt: at)
        }
        var other = account
        account.bodies += refunds
        other.bodies += refunds.reversed()
        let shown = [try account.shown(at: "2026-10-21 00:00:00"), try other.shown(at: "2026-10-21 00:00:00")]
        #expect(shown == Array(repeating: "starter 0 2026-11-12T09:30:04Z", count: 2))
    }

    /// Events about two subscriptions, an order and few invoices, whose times lie on few days.
    private static func account(_ random: inout SplitMix) -> Account {
        let begin = Date.utc("2026-01-31 12:00:00")
        func pick<Element>(_ choices: [Element]) -> Element {
            choices[Int.random(in: 0..<choices.count, using: &random)]
        }
        func day(_ days: ClosedRange<Int>) -> Date {
            begin.addingTimeInterval(
                Double(Int.random(in: days, using: &random)) * 86_400 + Double(pick([0, 0, 1, 3599])))
        }
        var events: [BillingEvent] = []
        for _ in 0..<Int.random(in: 2...14, using: &random) {
            var subscription = ProviderSubscription(userID: Case.user, createdAt: day(0...2), renewsAt: nil)
            subscription.id = pick(["1", "1", "1", "2"])
            subscription.status = pick(["active", "active", "on_trial", "past_due", "paused", "cancelled", "expired"])
            subscription.variantID = pick(["101", "102", "103", "999", nil])
            subscription.pauseMode = pick(["free", "void", nil])
            subscription.billingAnchor = pick([nil, 29, 31])
            subscription.renewsAt = pick([nil, day(0...70), day(0...70), day(0...800)])
            subscription.endsAt = pick([nil, day(0...70)])
            subscription.trialEndsAt = pick([nil, nil, day(0...70)])
            subscription.resumesAt = pick([nil, day(0...70)])
            let body: [UInt8] =
                switch Int.random(in: 0...9, using: &random) {
                case 0...5: subscription.event(pick(["subscription_created", "subscription_updated"]), at: day(0...70))
                case 6:
                    subscription.order(
                        "order_refunded", status: pick(["refunded", "paid"]), updatedAt: day(0...70),
                        refundedAt: pick([nil, day(0...70)]))
                default:
                    subscription.invoice(
                        pick([
                            "subscription_payment_success", "subscription_payment_failed",
                            "subscription_payment_refunded",
                        ]), id: pick([1, 2, 3]), reason: pick(["initial", "renewal", "updated"]),
                        status: pick(["paid", "pending", "refunded"]), createdAt: day(0...70), updatedAt: day(0...70),
                        refundedAt: pick([nil, day(0...70)]))
                }
            if let event = try? BillingEvent(body: body, id: Case.user) { events.append(event) }
        }
        return Account(userID: Case.user, createdAt: begin, events: events, charges: [])
    }
}
