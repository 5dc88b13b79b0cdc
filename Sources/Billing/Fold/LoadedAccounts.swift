public import Foundation
import LemonSqueezy

/// Everything that a transaction decides by, as the database has it: accounts under their locks, and what concerns
/// them.
///
/// ``fold(_:_:)`` computes from it, and from nothing else, what is to be saved.
public struct LoadedAccounts: Sendable {
    /// By the database's clock, read after the locks were held.
    public var now: Date
    public var inForce: PolicyInForce
    public var catalog: PlanCatalog
    /// All events of the subscriptions that may change hands, and their orders.
    public var related: [StoredEvent]
    /// Those of the accounts' other subscriptions.
    public var others: [StoredEvent] = []
    /// Of the related subscriptions.
    public var attributions: Attributions
    /// All accounts that anything above names, as far as they exist.
    public var accounts: [AccountRow] = []
    /// Those that are looked at in any case.
    public var asked: Set<UUID>
    public var charges: [ChargeRow] = []
    public var subscriptions: [SubscriptionRow] = []
    public var buckets: [BucketRow] = []
    public var grants: [UUID: [GrantedPlan]] = [:]
    /// When units were used; only where a refund may take units (R18).
    public var usage: [Usage] = []
    /// The ledger's entry for the task that a request names: it was charged before.
    public var charged: LedgerEntry?
    /// By subscription: what stands for events that were not loaded. The others' histories are whole.
    public var checkpoints: [String: Checkpoint] = [:]
    /// Counts up with each change of the plans, the variants and their terms.
    public var catalogVersion = 0

    public init(
        now: Date, inForce: PolicyInForce, catalog: PlanCatalog, related: [StoredEvent] = [],
        attributions: Attributions = Attributions(), asked: Set<UUID> = []
    ) {
        self.now = now
        self.inForce = inForce
        self.catalog = catalog
        self.related = related
        self.attributions = attributions
        self.asked = asked
    }

    /// Folds the accounts that the events concern (R0).
    ///
    /// - Parameters:
    ///   - arrivals: events to be decided, in order: those that just came, or stored ones as if they had. All are among
    ///     ``related``.
    ///   - request: what is asked of one of the accounts, after all else.
    /// - Returns: what is to be saved; or, if ``FoldedAccounts/voidCheckpoints`` names any, nothing but these.
    /// - Throws: `UnitRefusal` if the request is refused; then nothing is to be saved.
    public func fold(_ arrivals: [UUID] = [], _ request: UnitRequest? = nil) throws(UnitRefusal) -> FoldedAccounts {
        var folded = FoldedAccounts(at: now)
        let group = EventGroup(self, arrivals: arrivals)
        folded.found = accounts.filter { group.concerned.contains($0.userID) }
        if let charged {
            folded.granted = charged
            return folded
        }
        folded.voidCheckpoints = voidCheckpoints(group, arrivals: Set(arrivals))
        guard folded.voidCheckpoints.isEmpty else { return folded }
        folded.subscriptions = subscriptions.filter {
            group.concerned.contains($0.userID) || group.owners[$0.state.id] != nil
        }
        folded.buckets = buckets.filter { group.concerned.contains($0.userID) }
        let existing = Set(folded.found.map(\.userID))
        folded.matches = group.claims.newMatches.filter { existing.contains($0.user) }
            .map { OperatorAction(userID: $0.user, kind: .match(subscription: $0.subscription), reason: nil) }

        let applied = try fold(group, request, into: &folded)
        guard folded.voidCheckpoints.isEmpty else { return folded }
        for decision in group.decisions(applied) { folded.decisions[decision.eventID] = decision }
        return folded
    }

    /// - Returns: the arrivals that changed something.
    private func fold(
        _ group: EventGroup, _ request: UnitRequest?, into folded: inout FoldedAccounts
    ) throws(UnitRefusal) -> Set<UUID> {
        var applied: Set<UUID> = []
        var kept: Set<String> = []
        let storedSubscriptions = Dictionary(folded.subscriptions.map { ($0.state.id, $0) }) { first, _ in first }
        let storedBuckets = Dictionary(grouping: folded.buckets, by: \.userID)
        // What other programs have changed is recorded before anything else happens (R15), on all accounts: it goes
        // with the subscription, which may change hands now.
        let openings = folded.found.map { row in
            Account(userID: row.userID, createdAt: row.createdAt, events: [], charges: [])
                .reconciliation(
                    with: ShownBalance(units: row.unitsRemaining, resetDate: row.resetDate, lastEntry: row.lastEntry),
                    isAdopted: isAdopting(row, group.events(of: row.userID)), at: now, catalog: catalog)
        }
        folded.changes.charges = zip(folded.found, openings).compactMap { row, opening in
            opening.charge.map { ChargeRow(userID: row.userID, charge: $0) }
        }
        folded.voidCheckpoints = Set(
            folded.changes.charges.filter { isClosed($0.charge.line, $0.charge.begin) }.map(\.charge.line.rawValue))
        guard folded.voidCheckpoints.isEmpty else { return [] }
        let book = ChargeBook(charges + folded.changes.charges)
        for (row, opening) in zip(folded.found, openings) {
            var steps = AccountSteps(
                row: row, last: opening.last, loaded: self, charges: book, opening: openings.compactMap(\.charge),
                buckets: storedBuckets[row.userID] ?? [])
            let state = try steps.run(group.events(of: row.userID), request)
            folded.voidCheckpoints.formUnion(steps.voidCheckpoints)
            applied.formUnion(steps.applied)
            if let requested = steps.requested { folded.granted = requested }
            folded.changes.entries += opening.entries + steps.entries
            folded.changes.charges += steps.recorded.map { ChargeRow(userID: row.userID, charge: $0) }
            let updated = row.showing(state, at: now, revision: inForce.revision)
            if updated != row { folded.changes.accounts.append(updated) }
            for subscription in state.subscriptions {
                kept.insert(subscription.id)
                let subscriptionRow = SubscriptionRow(userID: row.userID, state: subscription)
                if storedSubscriptions[subscription.id] != subscriptionRow {
                    folded.changes.subscriptions.append(subscriptionRow)
                }
            }
            let present = state.buckets.map { BucketRow(userID: row.userID, bucket: $0) }
            let open = (storedBuckets[row.userID] ?? []).filter { !isClosed($0.bucket.line, $0.bucket.begin) }
            let before = Dictionary(uniqueKeysWithValues: open.map { ($0.key, $0) })
            folded.changes.buckets += present.filter { before[$0.key] != $0 }
            folded.changes.removedBuckets += Set(before.keys).subtracting(present.map(\.key))
        }
        folded.changes.removedSubscriptions = Set(storedSubscriptions.keys).subtracting(kept)
        return applied
    }
}

extension LoadedAccounts {
    /// Whether the units that the row shows are told by an event that arrives: another program's subscription, which
    /// counts from now on (R21).
    private func isAdopting(_ row: AccountRow, _ own: EventGroup.Own) -> Bool {
        let adopted = own.arriving.filter { $0.snapshot?.adoption?.unitsLeft != nil }.compactMap(\.subscriptionID)
        guard !adopted.isEmpty else { return false }
        let state = Account(
            userID: row.userID, createdAt: row.createdAt, events: own.others + own.after + own.arriving, charges: [],
            grants: grants[row.userID] ?? []
        ).state(at: now, catalog: catalog, policy: inForce.policy)
        return state.effective.map { adopted.contains($0.id) } ?? false
    }
}

extension AccountRow {
    /// The row as it has to be from now on.
    fileprivate func showing(_ state: AccountState, at now: Date, revision: Int) -> AccountRow {
        var row = self
        row.tier = state.effective == nil && hasUnadoptedPlan ? tier : state.tier
        row.unitsRemaining = state.unitsRemaining
        row.resetDate = state.resetDate
        row.dueAt = state.nextChange
        row.revision = revision
        // A row that did not change has been right since its earlier `validFrom`.
        if row != self || validFrom.map({ $0 > now }) ?? true { row.validFrom = now.wholeSeconds }
        return row
    }
}
