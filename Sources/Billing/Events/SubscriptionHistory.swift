import Foundation
import LemonSqueezy

/// All that is stored of one subscription, in its canonical order.
struct SubscriptionHistory: Sendable {
    let id: String
    /// R7: ascending, each once. The last is the present state. The provider's own; only as long as there is none, what
    /// was adopted from another program (R21).
    let snapshots: [Snapshot]
    /// What another program's row had said was paid, also once the provider speaks for itself.
    let adopted: AdoptedPeriod?
    let invoices: [(name: EventName, invoice: Invoice)]
    /// What is told of the order that it was bought with.
    let orders: [Order]
    /// Invoices as successes, recoveries and the provider's API tell that they were paid.
    let payments: [Invoice]
    /// Those that unlock a month: paid or partially refunded, and not for a change of plan.
    let paidInvoices: [Invoice]
    let createdAt: Date
    let months: SubscriptionMonths
    /// The newest `updated_at` of all its events.
    let latestEventAt: Date

    /// nil when no snapshot is known: of invoices alone neither status nor plan is known.
    ///
    /// - Parameter orders: the account's; those of this subscription are taken.
    init?(id: String, events: [BillingEvent], orders: [Order] = []) {
        var told: [Snapshot] = []
        var invoices: [(name: EventName, invoice: Invoice)] = []
        for event in events {
            switch event.fact {
            case .snapshot(let snapshot): told.append(snapshot)
            case .invoice(let invoice): invoices.append((event.name, invoice))
            case .order, .none: break
            }
        }
        told.putInOrder()
        let provided = told.filter { $0.adoption == nil }
        let relevant = provided.isEmpty ? told : provided
        guard let createdAt = relevant.map(\.createdAt).min() else { return nil }
        self.init(
            id: id, snapshots: relevant, adopted: told.last { $0.adoption != nil }.flatMap(AdoptedPeriod.init),
            invoices: invoices, orders: orders, createdAt: createdAt, times: events.compactMap(\.updatedAt))
    }

    /// - Parameters:
    ///   - snapshots: in canonical order, at least one.
    ///   - times: the `updated_at` of all its events.
    private init(
        id: String, snapshots: [Snapshot], adopted: AdoptedPeriod?, invoices: [(name: EventName, invoice: Invoice)],
        orders: [Order], createdAt: Date, times: [Date]
    ) {
        self.id = id
        self.snapshots = snapshots
        self.adopted = adopted
        self.invoices = invoices
        payments = invoices.compactMap { name, invoice in
            name.tellsOfPayment && invoice.isPaid ? invoice : nil
        }
        paidInvoices = payments.filter { !$0.isForChange }
        let orderIDs = Set(snapshots.compactMap(\.orderID))
        self.orders = orders.filter { orderIDs.contains($0.orderID) }
        self.createdAt = createdAt
        months = SubscriptionMonths(snapshots: self.snapshots, createdAt: createdAt)
        latestEventAt = (times + self.orders.compactMap(\.updatedAt)).max() ?? createdAt
    }

    /// The same with fewer snapshots; nil if there is none.
    func with(snapshots: [Snapshot]) -> SubscriptionHistory? {
        guard let createdAt = snapshots.map(\.createdAt).min() else { return nil }
        return SubscriptionHistory(
            id: id, snapshots: snapshots, adopted: adopted, invoices: invoices, orders: orders, createdAt: createdAt,
            times: snapshots.map(\.updatedAt))
    }

    var present: Snapshot { snapshots[snapshots.count - 1] }
    var trial: SubscriptionMonths.Trial? { months.trial }
    /// Where the paid months begin (R11).
    var start: Date { months.start }

    /// The last `trial_ends_at` known: the provider clears it when the trial is over (R8).
    var trialEndsAt: Date? { snapshots.last { $0.trialEndsAt != nil }?.trialEndsAt }

    /// The moment at which the snapshot at `index` stops being the present state; nil if it still is.
    func end(of index: Int) -> Date? {
        index + 1 < snapshots.count ? snapshots[index + 1].updatedAt : nil
    }

    /// How long what a snapshot tells of lasts: until the next snapshot, or the end that a pause or a bridge names.
    struct StateSpan {
        var index: Int
        var begin: Date
        /// nil: none is known.
        var end: Date?

        func contains(_ moment: Date) -> Bool { begin <= moment && end.map { moment < $0 } ?? true }
    }

    /// Those of the snapshots whose index matches, in order.
    func states(where matches: (Int) -> Bool) -> [StateSpan] {
        snapshots.indices.filter(matches).map { index in
            let snapshot = snapshots[index]
            let own = snapshot.status == .onTrial ? snapshot.trialEndsAt : snapshot.pause?.resumesAt
            return StateSpan(
                index: index, begin: snapshot.updatedAt, end: [end(of: index), own].compactMap(\.self).min())
        }
    }

    /// Whether the months that begin under a snapshot are free of charge: paused so, or on trial after it was active,
    /// by which the provider bridges the days to a new billing day.
    func isFree(_ index: Int) -> Bool {
        let snapshot = snapshots[index]
        guard snapshot.status == .onTrial else { return snapshot.isPausedFree }
        return snapshot.trialEndsAt != nil && snapshots[..<index].contains { $0.status == .active }
    }
}

extension [Snapshot] {
    /// Ascending, each once (R7). Mostly they are.
    fileprivate mutating func putInOrder() {
        if zip(self, dropFirst()).allSatisfy({ $0.order < $1.order }) { return }
        sort { $0.order < $1.order }
        self = indices.filter { $0 == 0 || self[$0 - 1].order != self[$0].order }.map { self[$0] }
    }
}

extension EventName {
    /// Whether an invoice of this event that says it is paid was paid: a failure or a refund may show it as it was.
    var tellsOfPayment: Bool {
        self == .subscriptionPaymentSuccess || self == .subscriptionPaymentRecovered
            || self == .subscriptionInvoiceObserved
    }
}

extension Invoice {
    /// Paid, and at most partly given back. Both spellings of the latter are met.
    var isPaid: Bool { ["paid", "partial_refund", "partial_refunded"].contains(status) }
    /// For a change of plan; it pays for no month.
    var isForChange: Bool { billingReason == "updated" }

    /// A moment within the month that the invoice pays for: three days after it was created, since an invoice may be
    /// made shortly before or after that month begins (R12).
    var paysFor: Date { createdAt.addingTimeInterval(3 * .day) }
}
