import Foundation
import LemonSqueezy
import Selextract

/// When an upgrade's units count (R13).
public enum UpgradeUnits: String, Sendable, Hashable, CaseIterable {
    /// From the snapshot that tells of it.
    case atOnce = "at_once"
    /// From the paid `updated` invoice made after it, or from the next month, which is billed at the new price anyway:
    /// for stores that do not bill an upgrade at once.
    case whenPaid = "when_paid"
}

/// Which plan a subscription had when. A snapshot whose variant is not mapped changes nothing here (R3, R6).
struct PlanTimeline {
    private var changes: [(at: Date, plan: SubscriptionPlan)] = []

    init(history: SubscriptionHistory, catalog: PlanCatalog, upgradeUnits: UpgradeUnits) {
        var told: [(at: Date, plan: SubscriptionPlan)] = []
        for snapshot in history.snapshots {
            guard let plan = catalog.plan(variant: snapshot.variantID) else { continue }
            if told.last?.at == snapshot.updatedAt { told.removeLast() }
            if told.last?.plan.id != plan.id { told.append((snapshot.updatedAt, plan)) }
        }
        guard upgradeUnits == .whenPaid else {
            changes = told
            return
        }
        let payments = history.invoices
            .filter { name, invoice in
                name != .subscriptionPaymentFailed && invoice.isPaid && invoice.billingReason == "updated"
            }
            .map(\.invoice.createdAt)
        for (index, change) in told.enumerated() {
            guard let current = changes.last?.plan, change.plan.monthlyComputeUnits > current.monthlyComputeUnits else {
                changes.append(change)
                continue
            }
            let start = history.start
            let nextMonth = start.adding(months: start.months(until: change.at) + 1)
            let paid = (payments.filter { $0 >= change.at } + [nextMonth]).min() ?? nextMonth
            if index + 1 == told.count || paid < told[index + 1].at { changes.append((paid, change.plan)) }
        }
    }

    /// The plan of the newest mapped snapshot; nil if no variant is mapped.
    static func present(_ history: SubscriptionHistory, _ catalog: PlanCatalog) -> SubscriptionPlan? {
        for snapshot in history.snapshots.reversed() {
            if let plan = catalog.plan(variant: snapshot.variantID) { return plan }
        }
        return nil
    }

    /// The units of a month: the plans' average, weighted by the seconds each held, rounded down. The first plan known
    /// reaches back, the last one to the month's end. In a trial no more than the plan at its begin.
    func granted(_ month: Month, catalog: PlanCatalog) -> Int {
        func units(_ plan: SubscriptionPlan) -> Int { catalog.units(plan: plan.id, monthBeginning: month.begin) }
        guard let first = changes.first else { return 0 }
        var weighted = 0
        var from = month.begin
        var plan = changes.last { $0.at <= month.begin }?.plan ?? first.plan
        let atBegin = units(plan)
        for change in changes where change.at > month.begin && change.at < month.end {
            weighted += units(plan) * Int(change.at.timeIntervalSince(from))
            from = change.at
            plan = change.plan
        }
        weighted += units(plan) * Int(month.end.timeIntervalSince(from))
        let average = weighted / month.seconds
        return month.isTrial ? min(average, atBegin) : average
    }
}
