public import Foundation
import Selextract

/// The balance in an account's row, and the ledger's last entry.
public struct ShownBalance: Sendable, Hashable {
    /// `users.compute_units_remaining`, which other programs may write.
    public var units: Int
    /// `users.compute_units_reset_date`.
    public var resetDate: Date
    /// nil: the account was never looked at.
    public var lastEntry: LedgerEntry?

    public init(units: Int, resetDate: Date, lastEntry: LedgerEntry?) {
        self.units = units
        self.resetDate = resetDate
        self.lastEntry = lastEntry
    }
}

extension Account {
    /// The entries that bring the ledger up to `users.compute_units_remaining`, before anything else is computed (R15):
    /// the opening balance if there is no entry yet, then what another program has changed since the last one.
    ///
    /// The difference belongs to the bucket that the row still shows, not to one that began since: else the units of a
    /// month that is over would be taken from the next.
    ///
    /// - Parameter isAdopted: the units are those of a subscription that is adopted now, whose event tells them (R21):
    ///   they are no difference in what was shown before.
    public func reconciliation(
        with shown: ShownBalance, isAdopted: Bool = false, at now: Date, catalog: PlanCatalog
    ) -> (entries: [LedgerEntry], last: LedgerEntry, charge: Charge?) {
        let last = shown.lastEntry ?? opening(shown, at: now, catalog: catalog)
        let opened = shown.lastEntry == nil ? [last] : []
        let difference = shown.units - last.balance
        guard difference != 0, !isAdopted else { return (opened, last, nil) }
        let external = LedgerEntry(
            userID: userID, kind: .external, units: difference, balance: shown.units, line: last.line,
            begin: last.begin)
        let charge = Charge(
            line: last.line, begin: last.begin, consumed: 0, adjusted: difference, firstAt: now.wholeSeconds)
        return (opened + [external], external, charge)
    }

    /// The free plan's month that the row's reset date ends.
    private func opening(_ shown: ShownBalance, at now: Date, catalog: PlanCatalog) -> LedgerEntry {
        let present = createdAt.months(until: max(now, createdAt))
        let index = min(max(0, createdAt.months(until: shown.resetDate.addingTimeInterval(-1))), present)
        let begin = createdAt.adding(months: index)
        let units = catalog.units(plan: SubscriptionPlan.freeID, monthBeginning: begin)
        return LedgerEntry(userID: userID, kind: .grant, units: units, balance: units, line: .free, begin: begin)
    }
}

extension AccountState {
    /// The ledger's entry if the shown bucket or its balance is not that of the last entry; nil if both are (R16).
    public func entry(
        after last: LedgerEntry, granted: Int?, eventID: UUID? = nil
    ) -> LedgerEntry? {
        LedgerEntry.leading(from: last, granted: granted, to: current, eventID: eventID)
    }

    /// Whether all that is shown and stored of it is as in `earlier`, but for the time of the newest event.
    public func saysNothingNew(since earlier: AccountState) -> Bool {
        func comparable(_ state: AccountState) -> [SubscriptionState] {
            state.subscriptions.map { subscription in
                var subscription = subscription
                subscription.latestEventAt = .distantPast
                return subscription
            }
        }
        return current == earlier.current && tier == earlier.tier && freeBuckets == earlier.freeBuckets
            && comparable(self) == comparable(earlier)
    }
}
