import Billing
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Testing

/// An account on the table: what has arrived, what was charged, and what the rules make of it.
struct Case {
    static let user = UUID(uuidString: "c9f2fcb9-44bc-4075-b4b1-25dcb4c6e200").unsafelyUnwrapped

    var bodies: [[UInt8]] = []
    var charges: [Charge] = []
    var usage: [Usage] = []
    var grants: [GrantedPlan] = []
    var policy = BillingPolicy()
    var catalog = Case.plans
    var createdAt = Date.utc("2026-10-01 00:00:00")

    /// Plans as the worked cases have them: starter is variant 101, professional 102.
    static let plans = PlanCatalog(plans: [
        plan("free", units: 100, tasks: 1, cents: 0),
        plan("starter", units: 1000, tasks: 3, cents: 1900, variant: "101"),
        plan("professional", units: 5000, tasks: 10, cents: 4900, variant: "102"),
        plan("enterprise", units: 25_000, tasks: 50, cents: 9900, variant: "103"),
    ])

    static func plan(
        _ id: String, units: Int, tasks: Int, cents: Int, variant: String? = nil
    ) -> SubscriptionPlan {
        SubscriptionPlan(
            id: id, name: id.capitalized, monthlyComputeUnits: units, maxConcurrentTasks: tasks, priceCents: cents,
            lemonSqueezyVariantID: variant, createdAt: .utc("2026-01-01 00:00:00"))
    }

    var events: [BillingEvent] {
        get throws { try bodies.map(BillingEvent.init(body:)) }
    }

    func state(at moment: String) throws -> AccountState {
        Account(
            userID: Self.user, createdAt: createdAt, events: try events, charges: charges, usage: usage, grants: grants
        ).state(at: .utc(moment), catalog: catalog, policy: policy)
    }

    /// Tier, units and reset date, as the account's row shows them.
    func shown(at moment: String) throws -> String {
        let state = try state(at: moment)
        return "\(state.tier) \(state.unitsRemaining) \(state.resetDate.formatted(.iso8601))"
    }

    /// Charges what is current at a moment (R15).
    mutating func consume(_ units: Int, at moment: String) throws {
        let bucket = try state(at: moment).current
        charges.append(
            Charge(line: bucket.line, begin: bucket.begin, consumed: units, adjusted: 0, firstAt: .utc(moment)))
        usage.append(Usage(line: bucket.line, begin: bucket.begin, at: .utc(moment), units: units))
    }

    /// A purchase of starter on 12 October, as worked case C1 has it.
    static func purchase() -> (Case, ProviderSubscription) {
        var subscription = ProviderSubscription(
            userID: user, createdAt: .utc("2026-10-12 09:30:04"), renewsAt: .utc("2026-11-12 09:30:01"))
        var account = Case()
        account.bodies = [
            subscription.event("subscription_created"),
            subscription.invoice(id: 7_300_001, reason: "initial", createdAt: .utc("2026-10-12 09:30:01")),
            subscription.event("subscription_updated", snapshotAt: .utc("2026-10-12 09:30:34")),
        ]
        return (account, subscription)
    }
}

extension BillingEvent {
    convenience init(body: [UInt8]) throws { try self.init(body: body, id: UUID()) }

    convenience init(body: [UInt8], id: UUID) throws {
        let event = try WebhookEvent(body: body)
        let fact: Fact =
            switch event.object {
            case .subscription(let snapshot): .snapshot(snapshot)
            case .invoice(let invoice): .invoice(invoice)
            case .order(let order): .order(order)
            default: .none
            }
        self.init(
            id: id, digest: SHA256.digest(body), name: event.name, dataType: event.dataType,
            claimedUserID: event.customUserID.flatMap(UUID.init(uuidString:)), customerID: event.customerID,
            subscriptionID: event.subscriptionID, email: event.email, fact: fact)
    }
}
