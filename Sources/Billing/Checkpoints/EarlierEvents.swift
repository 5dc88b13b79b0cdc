import Foundation
import LemonSqueezy

/// Which of a subscription's earlier events the rules still read once its earlier months are closed.
struct EarlierEvents {
    private let history: SubscriptionHistory
    /// Dated by the moment after which all is read.
    private let events: [BillingEvent]
    private let snapshots: [Snapshot]
    private let readAfter: Date
    private let closedBefore: Date

    /// nil if the last earlier snapshot is not `active`, if a variant is not mapped, or if none says what is paid: then
    /// the earlier events are not over.
    init?(
        _ history: SubscriptionHistory, _ events: [BillingEvent], readAfter: Date, closedBefore: Date,
        catalog: PlanCatalog
    ) {
        self.history = history
        self.events = events.filter { $0.updatedAt.map { $0 <= readAfter } ?? false }
        snapshots = history.snapshots.filter { $0.updatedAt <= readAfter }
        self.readAfter = readAfter
        self.closedBefore = closedBefore
        told = PlanTimeline.told(snapshots, catalog)
        guard snapshots.last?.status == .active, lastSaying(before: .distantFuture) != nil,
            snapshots.allSatisfy({ $0.status.isKnown && catalog.plan(of: $0) != nil })
        else { return nil }
    }

    private let told: [PlanTimeline.Change]

    /// Their ids.
    var kept: Set<UUID> {
        let invoices = keptInvoices
        var kept = Set(keptSnapshots.map(\.id)).union(
            events.filter { event in
                event.invoice.map { invoices.contains($0.invoiceID) } ?? false
            }.map(\.id))
        kept.formUnion(claims.map(\.id))
        // The newest of all: no account is looked at earlier than that.
        let newest = events.max {
            ($0.updatedAt ?? .distantPast, $0.id.uuidString) < ($1.updatedAt ?? .distantPast, $1.id.uuidString)
        }
        if let newest { kept.insert(newest.id) }
        return kept
    }

    // MARK: Snapshots

    /// Of a second all or none: of a change of plan within one the last counts (R13).
    private var keptSnapshots: [BillingEvent] {
        let moments = keptMoments
        var kept: [SnapshotOrder: BillingEvent] = [:]
        for event in events {
            guard let snapshot = event.snapshot, moments.contains(snapshot.updatedAt) else { continue }
            // The same one with other bytes is read once.
            let other = kept[snapshot.order]
            if other.map({ event.digest.lexicographicallyPrecedes($0.digest) }) ?? true { kept[snapshot.order] = event }
        }
        return Array(kept.values)
    }

    private var keptMoments: Set<Date> {
        var kept: [Snapshot?] = [snapshots.first, snapshots.last]
        // The trial, and where the months start (R11, R11a).
        kept.append(snapshots.first { $0.status == .active })
        kept.append(snapshots.prefix { $0.status != .active }.last { $0.status == .onTrial && $0.trialEndsAt != nil })
        kept.append(snapshots.min { $0.createdAt < $1.createdAt })
        kept.append(snapshots.last { $0.trialEndsAt != nil })
        // What was said last of what is paid, and before the last change of plan.
        kept.append(lastSaying(before: .distantFuture))
        if let change = told.last {
            kept.append(lastSaying(before: change.at))
            kept.append(snapshots.last { $0.updatedAt < change.at })
        }
        var moments = Set(kept.compactMap(\.self?.updatedAt)).union(history.months.movedAt)
        if let change = told.last { moments.insert(change.at) }
        // Orders belong to the subscription that was bought with them (R18).
        var orders: Set<String> = []
        for snapshot in snapshots {
            if let order = snapshot.orderID, orders.insert(order).inserted { moments.insert(snapshot.updatedAt) }
        }
        return moments
    }

    private func lastSaying(before moment: Date) -> Snapshot? {
        snapshots.last { snapshot in
            snapshot.updatedAt < moment && snapshot.status == .active
                && snapshot.renewsAt.map { $0 > snapshot.updatedAt } ?? false
        }
    }

    // MARK: Invoices

    /// All events of an invoice are kept or none: whether it was paid is asked of all of them.
    private var keptInvoices: Set<String> {
        let all = history.invoices.map(\.invoice)
        // A pause asks for invoices made since the last word on what is paid.
        let recent = min(readAfter, lastSaying(before: .distantFuture)?.updatedAt ?? readAfter)
        var kept = Set(
            all.filter { invoice in
                invoice.updatedAt > readAfter || invoice.createdAt > recent.addingTimeInterval(-.day)
                    || invoice.paysFor >= closedBefore
                    || invoice.isForChange && told.last.map { invoice.createdAt >= $0.at - .hour } ?? true
            }.map(\.invoiceID))
        // The period began with the newest paid one (R8).
        let newest = history.paidInvoices.filter { $0.paysFor < closedBefore }.max { $0.createdAt < $1.createdAt }
        if let newest { kept.insert(newest.invoiceID) }
        return kept
    }

    // MARK: Claims

    /// The first event of each account, customer and e-mail that is named, in the order in which claims are judged, so
    /// that the same claim wins whichever accounts there are (R5).
    private var claims: [BillingEvent] {
        var users: Set<UUID> = []
        var customers: Set<String> = []
        var emails: Set<String> = []
        return events.sorted(by: OwnershipClaims.precedes).filter { event in
            let isNew = [
                event.claimedUserID.map { users.insert($0).inserted } ?? false,
                event.customerID.map { customers.insert($0).inserted } ?? false,
                event.email.map { emails.insert($0.lowercased()).inserted } ?? false,
            ]
            return isNew.contains(true)
        }
    }
}
