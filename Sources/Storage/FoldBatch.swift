import Billing
import Foundation

/// The accounts of one transaction, folded: pure, from what was loaded to what is to be saved.
struct FoldBatch {
    let now: Date
    let catalog: PlanCatalog
    let policy: BillingPolicy
    /// Of the settings that the policy is from.
    let revision: Int
    /// The events of the subscriptions that may change hands.
    let related: [StoredEvent]
    /// Those of the accounts' other subscriptions.
    let others: [StoredEvent]
    /// Of the related subscriptions, as it is now.
    let owners: [String: Ownership]
    let orders: OrderOwners
    /// New events, in order.
    let arrivals: [UUID]
    /// What is asked of one of the accounts, after all else.
    let request: UnitRequest?
    let grants: [UUID: [GrantedPlan]]
    /// Only where a refund may take units.
    let usage: [Usage]

    func fold(
        rows: [AccountRow], charges: [ChargeRow], subscriptions: [SubscriptionRow], buckets: [BucketRow]
    ) throws(UnitRefusal) -> (AccountChanges, [Verdict]) {
        var changes = AccountChanges(at: now)
        var applied: Set<UUID> = []
        var kept: Set<String> = []
        let storedSubscriptions = Dictionary(uniqueKeysWithValues: subscriptions.map { ($0.state.id, $0) })
        let storedBuckets = Dictionary(grouping: buckets, by: \.userID)
        // What other programs have changed is recorded before anything else happens (R15), on all accounts: it goes with
        // the subscription, which may change hands now.
        let openings = rows.map { row in
            Account(userID: row.userID, createdAt: row.createdAt, events: [], charges: [])
                .reconciliation(
                    with: ShownBalance(units: row.unitsRemaining, resetDate: row.resetDate, lastEntry: row.lastEntry),
                    at: now, catalog: catalog)
        }
        changes.charges = zip(rows, openings).compactMap { row, opening in
            opening.charge.map { ChargeRow(userID: row.userID, charge: $0) }
        }
        let charges = charges + changes.charges
        for (row, opening) in zip(rows, openings) {
            var steps = AccountSteps(
                batch: self, row: row, last: opening.last, charges: charges, opening: openings.compactMap(\.charge),
                buckets: storedBuckets[row.userID] ?? [])
            let state = try steps.run()
            applied.formUnion(steps.applied)
            changes.entries += opening.entries + steps.entries
            changes.charges += steps.recorded.map { ChargeRow(userID: row.userID, charge: $0) }
            var updated = row
            updated.tier = state.effective == nil && row.hasUnadoptedPlan ? row.tier : state.tier
            updated.unitsRemaining = state.unitsRemaining
            updated.resetDate = state.resetDate
            updated.dueAt = state.nextChange
            updated.revision = revision
            // What said the same before now is right since then.
            if updated != row || row.validFrom.map({ $0 > now }) ?? true { updated.validFrom = now.wholeSeconds }
            if updated != row { changes.accounts.append(updated) }
            for subscription in state.subscriptions {
                kept.insert(subscription.id)
                let subscriptionRow = SubscriptionRow(userID: row.userID, state: subscription)
                if storedSubscriptions[subscription.id] != subscriptionRow {
                    changes.subscriptions.append(subscriptionRow)
                }
            }
            compare(
                state.buckets.map { BucketRow(userID: row.userID, bucket: $0) }, storedBuckets[row.userID] ?? [],
                &changes)
        }
        changes.removedSubscriptions = Set(storedSubscriptions.keys).subtracting(kept)
        return (changes, verdicts(applied))
    }

    private func compare(_ present: [BucketRow], _ stored: [BucketRow], _ changes: inout AccountChanges) {
        let before = Dictionary(uniqueKeysWithValues: stored.map { ($0.key, $0) })
        changes.buckets += present.filter { before[$0.key] != $0 }
        changes.removedBuckets += Set(before.keys).subtracting(present.map(\.key))
    }

    // MARK: Outcomes

    /// What changed about events: the new ones', and those of stored ones that wait no longer, or wait now.
    private func verdicts(_ applied: Set<UUID>) -> [Verdict] {
        let arrived = Set(arrivals)
        let parking = Parking(catalog: catalog, events: related.map(\.event), now: now)
        return related.compactMap { stored in
            let owner = stored.event.subscriptionID.flatMap { owners[$0] } ?? .unknown
            var verdict = Verdict(eventID: stored.id, outcome: stored.outcome, reason: stored.reason, userID: nil)
            if stored.event.isOrder {
                verdict.userID = orders.owner(of: stored.event)
            } else if case .account(let user) = owner {
                verdict.userID = user
            }
            if stored.isUndecodable {
                // Waits for a program that can read it; only its account may become known.
            } else if let waits = parking.reason(stored.event, owner: owner) {
                (verdict.outcome, verdict.reason) = (.parked, waits.rawValue)
            } else if stored.event.isOrder, arrived.contains(stored.id) || stored.outcome != .applied {
                // It is applied only if it takes units (R18).
                (verdict.outcome, verdict.reason) = (applied.contains(stored.id) ? .applied : .ignored, nil)
            } else if arrived.contains(stored.id) {
                (verdict.outcome, verdict.reason) = (applied.contains(stored.id) ? .applied : .unchanged, nil)
            } else if stored.outcome == .parked || stored.outcome == .failed {
                (verdict.outcome, verdict.reason) = (.applied, "released")
            }
            let before = Verdict(
                eventID: stored.id, outcome: stored.outcome, reason: stored.reason, userID: stored.userID)
            return arrived.contains(stored.id) || verdict != before ? verdict : nil
        }
    }
}
