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
    public func reasons(catalog: PlanCatalog) -> [UUID: [Reason]] {
        let histories = Dictionary(grouping: events.filter { $0.subscriptionID != nil }) { $0.subscriptionID ?? "" }
            .compactMap { id, events in SubscriptionHistory(id: id, events: events) }
        let firstTrial = histories.filter { $0.trial != nil }
            .min { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }?.id
        var reasons: [UUID: [Reason]] = [:]
        for history in histories {
            let reader = EventReader(history: history, trialCounts: history.id == firstTrial, catalog: catalog)
            for event in events where event.subscriptionID == history.id {
                reasons[event.id] = reader.reasons(event)
            }
        }
        return reasons
    }
}

/// Reads one subscription's events for people.
private struct EventReader {
    let history: SubscriptionHistory
    let trialCounts: Bool
    let catalog: PlanCatalog

    func reasons(_ event: BillingEvent) -> [Reason] {
        switch event.fact {
        case .snapshot(let snapshot): reasons(snapshot)
        case .invoice(let invoice): reasons(invoice, name: event.name)
        case .none: [Reason("R3", "cannot be read")]
        }
    }

    // MARK: Snapshots

    private func reasons(_ snapshot: Snapshot) -> [Reason] {
        guard let index = history.snapshots.firstIndex(where: { $0.order == snapshot.order }) else { return [] }
        let isPresent = index == history.snapshots.count - 1
        let place = isPresent ? "the latest snapshot" : "history: \(history.snapshots.count - 1 - index) came after it"
        return [Reason("R7", "\(place); status \(snapshot.status)")]
            + [plan(snapshot, before: history.snapshots.prefix(index).last), access(snapshot), evidence(snapshot)]
            .compactMap(\.self)
    }

    private func plan(_ snapshot: Snapshot, before: Snapshot?) -> Reason? {
        guard let plan = catalog.plan(variant: snapshot.variantID) else {
            return Reason("R3", "variant \(snapshot.variantID) means no plan; the last one known stays")
        }
        guard let before else { return Reason("R6", "variant \(snapshot.variantID) is \(plan.id)") }
        guard before.variantID != snapshot.variantID else { return nil }
        return Reason(
            "R13",
            "variant \(snapshot.variantID): \(plan.id) takes its share of the month from \(day(snapshot.updatedAt))")
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

    private func evidence(_ snapshot: Snapshot) -> Reason? {
        switch snapshot.status {
        case .onTrial:
            guard let trial = history.trial, snapshot.updatedAt < trial.endsAt else { return nil }
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
        if name == .subscriptionPaymentRefunded || invoice.refunded {
            return [Reason("R18", "a refund: recorded; it ends nothing and takes no units")]
        }
        if invoice.billingReason == "updated" {
            return [Reason("R12", "pays for a change of plan: it unlocks no month")]
        }
        let month = month(of: invoice)
        if name == .subscriptionPaymentFailed {
            let paid = history.paidInvoices.contains { $0.invoiceID == invoice.invoiceID }
            return [Reason("R12", paid ? "failed, but paid since" : "failed: \(month) stays locked until it is paid")]
        }
        guard invoice.isPaid else { return [Reason("R12", "not paid: \(invoice.status ?? "no status")")] }
        if let trial = history.trial, invoice.createdAt < trial.endsAt.addingTimeInterval(-3600) {
            return [Reason("R12", "made before the trial's end: it unlocks nothing")]
        }
        return [Reason("R12", "pays for \(month)")]
    }

    private func month(of invoice: Invoice) -> String {
        history.months(beginningBy: invoice.paysFor).last { $0.contains(invoice.paysFor) }
            .map { "the month from \(day($0.begin)) to \(day($0.end))" } ?? "no month"
    }

    private func day(_ moment: Date) -> String { moment.formatted(.iso8601) }
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
        case .undecodable: "a version of this program that can read it, then `rebuild`"
        }
    }
}
