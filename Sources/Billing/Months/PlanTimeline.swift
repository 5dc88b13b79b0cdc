import Foundation
import LemonSqueezy
import Selextract

/// When an upgrade's units count (R13).
public enum UpgradeUnits: String, Sendable, Hashable, CaseIterable {
    /// From the snapshot that tells of it.
    case atOnce = "at_once"
    /// From its own paid `updated` invoice, or from the first month that is not paid at the old price already: for
    /// stores that do not bill an upgrade at once.
    case whenPaid = "when_paid"
}

/// What a downgrade does to the units of the month it falls in (R13).
public enum DowngradeUnits: String, Sendable, Hashable, CaseIterable {
    /// Takes its share, as an upgrade gives one.
    case atOnce = "at_once"
    /// Nothing: for stores that give no money back.
    case nextMonth = "next_month"
}

/// Which plan's units a subscription has from when on (R13). A snapshot whose variant is not mapped changes nothing
/// here (R3, R6), nor does an upgrade whose payment failed or was given back.
struct PlanTimeline {
    private var changes: [Change] = []
    private let downgradeUnits: DowngradeUnits

    struct Change: Hashable {
        var at: Date
        var plan: SubscriptionPlan
    }

    /// - Parameter refunds: those of invoices for a change of plan that undo it, as far as they have happened.
    init(
        history: SubscriptionHistory, unlocking: MonthUnlocking, catalog: PlanCatalog, policy: BillingPolicy,
        refunds: [Refund]
    ) {
        downgradeUnits = policy.downgradeUnits
        let told = Self.told(history, catalog)
        let invoices = ChangeInvoices(history, changes: told.map(\.at), refunds: refunds)
        for (index, change) in told.enumerated() {
            // By what the plans gave in that month, whatever they give by now.
            let month = history.months.begin(at: change.at)
            func units(_ plan: SubscriptionPlan) -> Int { catalog.units(plan: plan.id, monthBeginning: month) }
            guard let current = changes.last?.plan, units(change.plan) > units(current) else {
                changes.append(change)
                continue
            }
            let end = index + 1 < told.count ? told[index + 1].at : .distantFuture
            let invoice = invoices.own[index]
            if let failedAt = invoice?.failedAt, invoice?.isPaid == false {
                let isActive = history.snapshots.contains {
                    $0.status == .active && $0.updatedAt > failedAt && $0.updatedAt < end
                        && catalog.plan(of: $0)?.id == change.plan.id
                }
                if !isActive { continue }
            }
            if invoice?.isGivenBack == true { continue }
            var at = change.at
            if policy.upgradeUnits == .whenPaid {
                if let invoice, invoice.isPaid {
                    at = max(at, invoice.createdAt)
                } else {
                    let paidThrough = unlocking.paidThrough(before: at)?.addingTimeInterval(-.day)
                    let renewed = history.months.begin(notBefore: max(at, paidThrough ?? at))
                    // A billing day that has moved since ends what was paid at the old price.
                    let moved = history.months.runs.dropFirst().first {
                        $0.start > change.at.addingTimeInterval(-.hour)
                    }
                    at = min(renewed, moved.map { max(at, $0.start) } ?? renewed)
                }
            }
            if at < end { changes.append(Change(at: at, plan: change.plan)) }
        }
    }

    /// The same, after the plan that another program's row had told of before (R21).
    private static func told(_ history: SubscriptionHistory, _ catalog: PlanCatalog) -> [Change] {
        let told = told(history.snapshots, catalog)
        guard history.present.adoption == nil, let adopted = history.adopted,
            let plan = catalog.plans[adopted.adoption.planID]
        else { return told }
        let before = Change(at: min(adopted.begin, history.snapshots[0].updatedAt), plan: plan)
        guard let first = told.first else { return [before] }
        if first.at <= before.at { return told }
        return [before] + (first.plan.id == plan.id ? Array(told.dropFirst()) : told)
    }

    /// The changes of plan that snapshots tell of, whether they count or not. Of one second the last counts.
    static func told(_ snapshots: [Snapshot], _ catalog: PlanCatalog) -> [Change] {
        var told: [Change] = []
        for snapshot in snapshots {
            guard let plan = catalog.plan(of: snapshot) else { continue }
            if told.last?.at == snapshot.updatedAt { told.removeLast() }
            if told.last?.plan.id != plan.id { told.append(Change(at: snapshot.updatedAt, plan: plan)) }
        }
        return told
    }

    /// The change in force at a moment; nil: none that early.
    func change(at moment: Date) -> Change? { changes.last { $0.at <= moment } }

    /// The plan of the newest mapped snapshot; nil if no variant is mapped.
    static func present(_ history: SubscriptionHistory, _ catalog: PlanCatalog) -> SubscriptionPlan? {
        for snapshot in history.snapshots.reversed() {
            if let plan = catalog.plan(of: snapshot) { return plan }
        }
        return history.adopted.flatMap { catalog.plans[$0.adoption.planID] }
    }

    /// The units of a month: the plans' average, weighted by the seconds each held, rounded down. The first plan known
    /// reaches back, the last one to the month's end; a month that was cut short gives its share (R11a). In a trial no
    /// more than the plan at its begin.
    func granted(_ month: Month, catalog: PlanCatalog) -> Int {
        func units(_ plan: SubscriptionPlan) -> Int { catalog.units(plan: plan.id, monthBeginning: month.begin) }
        guard let first = changes.first else { return 0 }
        let atBegin = units(changes.last { $0.at <= month.begin }?.plan ?? first.plan)
        var (weighted, from, held) = (0, month.begin, atBegin)
        for change in changes where change.at > month.begin && change.at < month.end {
            weighted += held * Int(change.at.timeIntervalSince(from))
            from = change.at
            held = downgradeUnits == .nextMonth ? max(held, units(change.plan)) : units(change.plan)
        }
        weighted += held * Int(month.end.timeIntervalSince(from))
        let average = weighted / month.fullSeconds
        return month.isTrial ? min(average, atBegin) : average
    }
}

/// Assigns `updated` invoices to changes of plan. A change's own invoice is the nearest of those created between an
/// hour before it and the next change; each invoice belongs to the change that it is nearest to.
struct ChangeInvoices {
    struct Own {
        var id: String
        var createdAt: Date
        /// The newest failure; nil: it never failed.
        var failedAt: Date?
        var isPaid: Bool
        /// In full, and such a refund undoes the change.
        var isGivenBack: Bool
    }

    /// By the number of the change.
    private(set) var own: [Int: Own] = [:]

    init(_ history: SubscriptionHistory, changes: [Date], refunds: [Refund]) {
        let paid = Set(history.payments.map(\.invoiceID))
        let givenBack = Set(refunds.compactMap(\.invoiceID))
        let told = Dictionary(grouping: history.invoices.filter(\.invoice.isForChange), by: \.invoice.invoiceID)
        for (id, told) in told.sorted(by: { $0.key < $1.key }) {
            let createdAt = told.map(\.invoice.createdAt).min() ?? history.createdAt
            guard let nearest = Self.change(ofInvoiceMadeAt: createdAt, changes) else { continue }
            func distance(_ moment: Date) -> TimeInterval { abs(moment.timeIntervalSince(changes[nearest])) }
            if let other = own[nearest], distance(other.createdAt) <= distance(createdAt) { continue }
            own[nearest] = Own(
                id: id, createdAt: createdAt,
                failedAt: told.filter { $0.name == .subscriptionPaymentFailed }.map(\.invoice.updatedAt).max(),
                isPaid: paid.contains(id), isGivenBack: givenBack.contains(id))
        }
    }

    /// The number of the change that an invoice made at a moment belongs to; nil: to none.
    static func change(ofInvoiceMadeAt createdAt: Date, _ changes: [Date]) -> Int? {
        let candidates = changes.indices.filter { index in
            createdAt >= changes[index].addingTimeInterval(-.hour)
                && (index + 1 == changes.count || createdAt < changes[index + 1])
        }
        func distance(_ index: Int) -> TimeInterval { abs(createdAt.timeIntervalSince(changes[index])) }
        return candidates.min { distance($0) < distance($1) }
    }
}
