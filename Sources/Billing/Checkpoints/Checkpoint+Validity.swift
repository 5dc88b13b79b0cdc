import Foundation
import LemonSqueezy

extension Checkpoint {
    /// What its validity is judged by.
    struct Circumstances {
        var now: Date
        var inForce: PolicyInForce
        var catalog: PlanCatalog
        var catalogVersion: Int
        /// Of the subscription, as it is now.
        var owner: UUID?
    }

    /// Whether anything in a subscription's events could reach behind ``closedBefore``, so that it does not hold.
    ///
    /// - Parameters:
    ///   - events: those that it reads, and the account's orders.
    ///   - arriving: of these, the ones to be decided.
    func isVoid(_ events: [StoredEvent], arriving: Set<UUID>, _ circumstances: Circumstances) -> Bool {
        let inForce = circumstances.inForce
        guard circumstances.owner == userID, revision == inForce.revision,
            catalogVersion == circumstances.catalogVersion, circumstances.now >= completeUntil
        else { return true }
        let own = events.filter { $0.event.subscriptionID == subscriptionID && !$0.event.isOrder }
        let kept = Set(kept)
        guard kept.isSubset(of: own.lazy.map(\.id)) else { return true }
        if inForce.policy.refundUnits == .take, events.contains(where: \.event.isFullRefund) { return true }
        return own.contains { stored in
            stored.event.isAdopted
                || isLate(stored, isArriving: arriving.contains(stored.id), isKept: kept.contains(stored.id))
        } || hasDatesBefore(own.filter { !kept.contains($0.id) }, kept: own.filter { kept.contains($0.id) })
            || hasInvoicesBefore(own, arriving: arriving, kept: kept, circumstances)
    }

    /// Whether an event was not counted when the checkpoint was made, and is dated so early that it had to be.
    private func isLate(_ stored: StoredEvent, isArriving: Bool, isKept: Bool) -> Bool {
        guard let updatedAt = stored.event.updatedAt, !stored.isUndecodable else { return true }
        if !isArriving && !stored.counts(for: userID) { return true }
        if updatedAt <= readAfter && !isKept { return true }
        return updatedAt <= completeUntil && (isArriving || !stored.isDecided)
    }

    /// Whether newer snapshots have dates that change what earlier ones mean: an earlier begin of all months, or an end
    /// before which other invoices are the latest (R8).
    private func hasDatesBefore(_ newer: [StoredEvent], kept: [StoredEvent]) -> Bool {
        let createdAt = kept.compactMap { $0.event.snapshot?.createdAt }.min() ?? .distantFuture
        return newer.compactMap(\.event.snapshot).contains { snapshot in
            if snapshot.createdAt < createdAt { return true }
            switch snapshot.status {
            case .cancelled, .expired: return snapshot.endsAt.map { $0 < closedBefore } ?? false
            case .onTrial: return snapshot.trialEndsAt.map { $0 < closedBefore } ?? true
            default: return false
            }
        }
    }

    /// Whether a newer invoice is about a month that is closed, or about a change of plan within one.
    private func hasInvoicesBefore(
        _ own: [StoredEvent], arriving: Set<UUID>, kept: Set<UUID>, _ circumstances: Circumstances
    ) -> Bool {
        let newer = own.filter { !kept.contains($0.id) }
        if newer.contains(where: { stored in
            stored.event.invoice.map { !$0.isForChange && $0.paysFor < closedBefore } ?? false
        }) {
            return true
        }
        // A paid one counts only where units wait for it, or if it failed before: then the change came earlier, too.
        let whenPaid = circumstances.inForce.policy.upgradeUnits == .whenPaid
        let ofChanges = newer.compactMap { stored -> Date? in
            guard let invoice = stored.event.invoice, invoice.isForChange else { return nil }
            let counts = whenPaid || stored.event.name == .subscriptionPaymentFailed || invoice.createdAt < closedBefore
            return counts ? invoice.createdAt : nil
        }
        guard !ofChanges.isEmpty else { return false }
        // Judged without and with what arrives: an invoice belongs to the earlier change until the later one is told.
        let before = changes(own.filter { !arriving.contains($0.id) }, circumstances)
        let after = changes(own, circumstances)
        return ofChanges.contains { createdAt in
            [before, after].contains { changes in
                ChangeInvoices.change(ofInvoiceMadeAt: createdAt, changes).map { changes[$0] < closedBefore } ?? true
            }
        }
    }

    private func changes(_ own: [StoredEvent], _ circumstances: Circumstances) -> [Date] {
        let snapshots = own.filter { !$0.event.isAhead(of: circumstances.now) }.compactMap(\.event.snapshot)
            .sorted { $0.order < $1.order }
        return PlanTimeline.told(snapshots, circumstances.catalog).map(\.at)
    }

    /// Whether so many months are over since that a newer one would stand for much more.
    func isOutgrown(by events: [StoredEvent], at now: Date) -> Bool {
        let months = closedBefore.months(until: now) - Self.openMonths
        guard months > 0 else { return false }
        let next = closedBefore.adding(months: months).addingTimeInterval(-Self.margin)
        return events.count { stored in
            stored.event.subscriptionID == subscriptionID && !stored.event.isOrder
                && stored.event.updatedAt.map { $0 > readAfter && $0 <= next } ?? false
        } >= max(Self.fewestLeftOut, self.events / Self.readAgainAfter)
    }
}

extension StoredEvent {
    /// Whether it was looked at, and waits for nothing.
    var isDecided: Bool {
        switch outcome {
        case .applied, .unchanged, .ignored: true
        case .parked, .quarantined, .rejected, .failed: false
        }
    }
}

extension StoredEvent {
    /// Whether it counts for an account, or waits and may do.
    func counts(for user: UUID) -> Bool { userID == user || userID == nil && !isDecided }
}

extension BillingEvent {
    var snapshot: Snapshot? { if case .snapshot(let snapshot) = fact { snapshot } else { nil } }
    var invoice: Invoice? { if case .invoice(let invoice) = fact { invoice } else { nil } }
}
