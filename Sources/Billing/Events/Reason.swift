public import Foundation
import LemonSqueezy
import Selextract

/// Why an event counts as it does: a rule, and what it says here. For people.
public struct Reason: Sendable, Hashable, Codable {
    /// `R7`, for example.
    public var rule: String
    public var text: String

    init(_ rule: String, _ text: String) {
        self.rule = rule
        self.text = text
    }
}

extension Account {
    /// What the rules read in each of the account's events, by event id.
    public func reasons(catalog: PlanCatalog, policy: BillingPolicy, at now: Date) -> [UUID: [Reason]] {
        let histories = histories(at: now)
        let firstTrial = histories.firstTrial
        var reasons: [UUID: [Reason]] = [:]
        for event in events where event.isAhead(of: now) {
            reasons[event.id] = [Reason("R3", "dated ahead: it counts from \(day(event.countsFrom ?? now))")]
        }
        for history in histories {
            let reader = EventReader(
                history: history, trialCounts: history.id == firstTrial, catalog: catalog, policy: policy)
            for event in events where event.subscriptionID == history.id && reasons[event.id] == nil {
                reasons[event.id] = reader.reasons(event)
            }
        }
        for event in events where reasons[event.id] == nil {
            guard case .order(let order) = event.fact else { continue }
            let history = histories.first { $0.orders.contains { $0.orderID == order.orderID } }
            reasons[event.id] = [Reason("R18", order.text(of: history, policy: policy))]
        }
        return reasons
    }
}

extension Order {
    /// What it says, for people.
    fileprivate func text(of history: SubscriptionHistory?, policy: BillingPolicy) -> String {
        let whose = history.map { "the order of subscription \($0.id)" } ?? "an order"
        if status == "fraudulent" { return "\(whose), held to be fraudulent: shown, no more" }
        guard isRefundedInFull else { return "\(whose), \(status ?? "no status"): recorded, it changes nothing" }
        let takes = history?.refundsThatTake.contains { $0.invoiceID == nil } ?? false
        return "\(whose), refunded: " + policy.refundUnits.text(takes: takes)
    }
}

extension RefundUnits {
    /// - Parameter takes: whether it is one that can take units.
    fileprivate func text(takes: Bool) -> String {
        switch (self, takes) {
        case (.keep, _): "recorded; it ends nothing and takes no units"
        case (.take, true): "takes what was not used by then, and what was paid ahead"
        case (.take, false): "recorded; what is current was paid later, so it takes no units"
        }
    }
}

private func day(_ moment: Date) -> String { moment.formatted(.iso8601) }

/// Reads one subscription's events for people.
private struct EventReader {
    let history: SubscriptionHistory
    let trialCounts: Bool
    let catalog: PlanCatalog
    let policy: BillingPolicy

    func reasons(_ event: BillingEvent) -> [Reason] {
        switch event.fact {
        case .snapshot(let snapshot): reasons(snapshot)
        case .invoice(let invoice): reasons(invoice, name: event.name)
        case .order, .none: [Reason("R3", "cannot be read")]
        }
    }

    // MARK: Snapshots

    private func reasons(_ snapshot: Snapshot) -> [Reason] {
        if let adopted = snapshot.adoption.flatMap({ _ in AdoptedPeriod(snapshot) }) { return [adoption(adopted)] }
        guard let index = history.snapshots.firstIndex(where: { $0.order == snapshot.order }) else { return [] }
        let isPresent = index == history.snapshots.count - 1
        let place = isPresent ? "the latest snapshot" : "history: \(history.snapshots.count - 1 - index) came after it"
        return [Reason("R7", "\(place); status \(snapshot.status)")]
            + [
                plan(snapshot, before: history.snapshots.prefix(index).last), start(snapshot, isFirst: index == 0),
                access(snapshot), evidence(snapshot, isFirst: index == 0),
            ].compactMap(\.self)
    }

    private func adoption(_ adopted: AdoptedPeriod) -> Reason {
        let left = adopted.adoption.unitsLeft.map { ", \($0) units left" } ?? ""
        let says = "\(adopted.adoption.planID) from \(day(adopted.begin)) to \(day(adopted.end))\(left)"
        return Reason(
            "R21",
            history.present.adoption == nil
                ? "taken over from another program's row, which said \(says); the provider has spoken since"
                : "taken over from another program's row: \(says); it holds until the provider speaks")
    }

    /// Where months start, if this is what tells it.
    private func start(_ snapshot: Snapshot, isFirst: Bool) -> Reason? {
        if isFirst, history.trial?.knownAt == nil, history.start != history.createdAt {
            return Reason("R11", "first seen with a past: its months run from \(day(history.start))")
        }
        let shorter = history.months(untilSnapshot: snapshot)
        let longer = history.months(throughSnapshot: snapshot)
        if let shorter, shorter.start != longer.start {
            return Reason("R11", "the trial was cut short: paid months run from \(day(longer.start))")
        }
        if let shorter, longer.runs.count > shorter.runs.count, let run = longer.runs.last {
            return Reason("R11a", "the billing day moved: a month ends, and months run anew, from \(day(run.start))")
        }
        return nil
    }

    private func plan(_ snapshot: Snapshot, before: Snapshot?) -> Reason? {
        guard let plan = catalog.plan(of: snapshot) else {
            guard let variant = snapshot.variantID else { return Reason("R3", "no variant; the last plan known stays") }
            return Reason("R3", "variant \(variant) means no plan; the last one known stays")
        }
        let variant = snapshot.variantID ?? ""
        guard let before else { return Reason("R6", "variant \(variant) is \(plan.id)") }
        guard before.variantID != variant else { return nil }
        return Reason(
            "R13", "variant \(variant): \(plan.id) from \(day(snapshot.updatedAt)), in the month by its share")
    }

    private func access(_ snapshot: Snapshot) -> Reason? {
        switch snapshot.status {
        case .onTrial, .active, .pastDue: nil
        case .paused:
            snapshot.isPausedFree
                ? Reason("R9", "paused with access, without charge")
                : Reason(
                    "R9", "paused: no access\(snapshot.pause?.resumesAt.map { " until \(day($0))" } ?? "")")
        case .cancelled:
            Reason("R9", "cancelled: access until \(snapshot.endsAt.map(day) ?? "the end of what is paid")")
        default: Reason("R9", "\(snapshot.status): no access")
        }
    }

    private func evidence(_ snapshot: Snapshot, isFirst: Bool) -> Reason? {
        switch snapshot.status {
        case .onTrial:
            guard let trial = history.trial, trial.knownAt != nil, snapshot.updatedAt < trial.endsAt else {
                guard let until = snapshot.trialEndsAt, !isFirst else { return nil }
                return Reason("R12", "a bridge to a new billing day: free of charge until \(day(until))")
            }
            return trialCounts
                ? Reason("R12", "a trial until \(day(trial.endsAt)), with the plan's units")
                : Reason("R12", "not the account's first trial: it gives no units")
        case .active:
            guard let renewsAt = snapshot.renewsAt, renewsAt > snapshot.updatedAt else { return nil }
            return Reason("R12", "says that the months until \(day(renewsAt)) are paid")
        case .pastDue: return Reason("R12", "its renews_at is the next attempt, and pays for nothing")
        default: return nil
        }
    }

    // MARK: Invoices

    private func reasons(_ invoice: Invoice, name: EventName) -> [Reason] {
        if name == .subscriptionPaymentRefunded || invoice.isRefundedInFull {
            guard invoice.isRefundedInFull else {
                return [Reason("R18", "a refund in part: recorded; it ends nothing and takes no units")]
            }
            if invoice.isForChange && policy.refundUnits == .take {
                return [Reason("R13", "a refund of a change of plan: the upgrade gives no units")]
            }
            let takes = history.refundsThatTake.contains { $0.invoiceID == invoice.invoiceID }
            return [Reason("R18", "a refund: " + policy.refundUnits.text(takes: takes))]
        }
        if invoice.isForChange { return [change(invoice, name: name)] }
        let month = month(of: invoice)
        if name == .subscriptionPaymentFailed {
            let paid = history.paidInvoices.contains { $0.invoiceID == invoice.invoiceID }
            return [Reason("R12", paid ? "failed, but paid since" : "failed: \(month) stays locked until it is paid")]
        }
        guard invoice.isPaid else { return [Reason("R12", "not paid: \(invoice.status ?? "no status")")] }
        if invoice.createdAt < history.start.addingTimeInterval(-.hour) {
            return [Reason("R12", "made before the paid months begin: it unlocks nothing")]
        }
        return [Reason("R12", "pays for \(month)")]
    }

    private func change(_ invoice: Invoice, name: EventName) -> Reason {
        let isPaid = history.payments.contains { $0.invoiceID == invoice.invoiceID }
        return switch (name == .subscriptionPaymentFailed, isPaid) {
        case (true, true): Reason("R13", "the payment for a change of plan failed, but was made since")
        case (true, false):
            Reason("R13", "the payment for a change of plan failed: an upgrade gives no units unless it becomes active")
        case (false, true): Reason("R13", "pays for a change of plan: it unlocks no month")
        case (false, false): Reason("R13", "for a change of plan, not paid: \(invoice.status ?? "no status")")
        }
    }

    private func month(of invoice: Invoice) -> String {
        history.months.months(beginningBy: invoice.paysFor).last { $0.contains(invoice.paysFor) }
            .map { "the month from \(day($0.begin)) to \(day($0.end))" } ?? "no month"
    }
}

extension SubscriptionHistory {
    /// The months as they were known up to a snapshot, and with it; nil: it is the first.
    fileprivate func months(untilSnapshot snapshot: Snapshot) -> SubscriptionMonths? {
        let before = Array(snapshots.prefix { $0.order < snapshot.order })
        return before.isEmpty ? nil : SubscriptionMonths(snapshots: before, createdAt: createdAt)
    }

    fileprivate func months(throughSnapshot snapshot: Snapshot) -> SubscriptionMonths {
        SubscriptionMonths(snapshots: snapshots.prefix { $0.order <= snapshot.order }.map(\.self), createdAt: createdAt)
    }
}

extension ParkingReason {
    /// What would release an event that waits for this. For people.
    public var remedy: String {
        switch self {
        case .unknownAccount: "an account with the claimed id, or `subscriptions bind`"
        case .ambiguousAccount:
            "`subscriptions bind`: its customer's subscriptions, or its e-mail, lead to several accounts"
        case .unknownPlan: "`plans map` for its variant"
        case .unknownSubscription: "an event of the subscription itself"
        case .unknownStatus: "a later snapshot with a status that is known"
        case .undecodable: "a version of this program that can read it"
        case .aheadOfTime: "its hour: it is dated more than an hour ahead of the database's clock"
        }
    }
}
