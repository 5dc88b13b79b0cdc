import Foundation
import LemonSqueezy

/// All that is stored of one subscription, in its canonical order.
struct SubscriptionHistory: Sendable {
    let id: String
    /// R7: ascending, each once. The last is the present state.
    let snapshots: [Snapshot]
    let invoices: [(name: EventName, invoice: Invoice)]
    /// The newest `updated_at` of all its events.
    let latestEventAt: Date

    /// nil when no snapshot is known: an invoice alone makes no subscription.
    init?(id: String, events: [BillingEvent]) {
        var snapshots: [SnapshotOrder: Snapshot] = [:]
        var invoices: [(name: EventName, invoice: Invoice)] = []
        for event in events {
            switch event.fact {
            case .snapshot(let snapshot): snapshots[snapshot.order] = snapshot
            case .invoice(let invoice): invoices.append((event.name, invoice))
            case .none: break
            }
        }
        guard !snapshots.isEmpty else { return nil }
        self.id = id
        self.snapshots = snapshots.values.sorted { $0.order < $1.order }
        self.invoices = invoices
        self.latestEventAt = events.compactMap(\.updatedAt).max() ?? self.snapshots[0].updatedAt
    }

    var present: Snapshot { snapshots[snapshots.count - 1] }
    var createdAt: Date { snapshots[0].createdAt }

    /// The canonically first snapshots, as long as they are `on_trial` (R11).
    private var trialSnapshots: ArraySlice<Snapshot> {
        snapshots.prefix { $0.status == .onTrial }
    }

    /// When the trial's snapshots began to be known, and when the trial ends; nil without a trial.
    var trial: (knownAt: Date, endsAt: Date)? {
        let trial = trialSnapshots
        guard let first = trial.first, let endsAt = trial.last(where: { $0.trialEndsAt != nil })?.trialEndsAt,
            endsAt > createdAt
        else { return nil }
        return (first.updatedAt, endsAt)
    }

    /// Where the paid months begin (R11).
    var start: Date { trial?.endsAt ?? createdAt }

    /// The last `trial_ends_at` known: the provider clears it when the trial is over (R8).
    var trialEndsAt: Date? { snapshots.last { $0.trialEndsAt != nil }?.trialEndsAt }

    /// The moment at which the snapshot at `index` stops being the present state; nil if it still is.
    func end(of index: Int) -> Date? {
        index + 1 < snapshots.count ? snapshots[index + 1].updatedAt : nil
    }

    /// Invoices that unlock a month: paid or partially refunded, by a success or a recovery, not for a change of plan.
    var paidInvoices: [Invoice] {
        invoices.compactMap { name, invoice in
            guard name == .subscriptionPaymentSuccess || name == .subscriptionPaymentRecovered,
                invoice.isPaid, invoice.billingReason != "updated"
            else { return nil }
            return invoice
        }
    }

    /// The months that begin no later than `limit`, those of the trial first.
    func months(beginningBy limit: Date) -> [Month] {
        var months: [Month] = []
        let start = start
        if trial != nil {
            var count = 0
            var begin = createdAt
            while begin < start, begin <= limit {
                count += 1
                let next = min(createdAt.adding(months: count), start)
                months.append(Month(begin: begin, end: next, isTrial: true))
                begin = next
            }
        }
        var count = 0
        var begin = start
        while begin <= limit {
            count += 1
            let next = start.adding(months: count)
            months.append(Month(begin: begin, end: next))
            begin = next
        }
        return months
    }
}

extension Invoice {
    /// Paid, and at most partly given back. Both spellings of the latter are met.
    var isPaid: Bool { ["paid", "partial_refund", "partial_refunded"].contains(status) }

    /// What an invoice pays for is told by the third day after it was made: that is safely within the month it opens (R12).
    var paysFor: Date { createdAt.addingTimeInterval(3 * 86_400) }
}
