import Foundation

/// One account's way through a fold: what the clock brings first, then each arriving event in turn, so that every
/// ledger entry names the event that brought it, as if they had come one by one.
struct AccountSteps {
    private let row: AccountRow
    private let loaded: LoadedAccounts
    private let charges: ChargeBook
    /// What other programs have changed, on any of the accounts: such a charge goes with its subscription, which may
    /// have changed hands.
    private let opening: [Charge]
    /// The account's last ledger entry, after reconciling it with `users.compute_units_remaining`, and after each step.
    private var last: LedgerEntry
    /// The units that the last shown bucket granted when it was shown.
    private var granted: Int?

    private(set) var entries: [LedgerEntry] = []
    /// The entry that the request led to.
    private(set) var requested: LedgerEntry?
    /// What this fold itself charged.
    private(set) var recorded: [Charge] = []
    /// The arriving events that changed something.
    private(set) var applied: Set<UUID> = []
    /// The subscriptions whose checkpoint did not hold at one of the steps.
    private(set) var voidCheckpoints: Set<String> = []

    init(
        row: AccountRow, last: LedgerEntry, loaded: LoadedAccounts, charges: ChargeBook, opening: [Charge],
        buckets: [BucketRow]
    ) {
        self.row = row
        self.last = last
        self.loaded = loaded
        self.charges = charges
        self.opening = opening
        granted = buckets.first { $0.bucket.line == last.line && $0.bucket.begin == last.begin }?.bucket.granted
    }

    mutating func run(_ own: EventGroup.Own, _ request: UnitRequest?) throws(UnitRefusal) -> AccountState {
        var state = step(own.others + own.before, nil)
        var events = own.others + own.after
        if own.before != own.after && own.arriving.isEmpty { state = step(events, nil) }
        for event in own.arriving {
            events.append(event)
            let next = step(events, event.id)
            if !next.saysNothingNew(since: state) { applied.insert(event.id) }
            state = next
        }
        // Whether a request is refused is told by what is sure.
        guard voidCheckpoints.isEmpty else { return state }
        if let request, request.userID == row.userID {
            let granted = try state.grant(request, at: loaded.now, after: last) { charge in
                recorded.append(charge)
                return self.state(events)
            }
            state = granted.state
            voidCheckpoints.formUnion(state.voidCheckpoints)
            requested = granted.entry
            entries.append(granted.entry)
            if let correction = state.entry(after: granted.entry, granted: self.granted) { entries.append(correction) }
        }
        return state
    }

    /// The account with these events, and the ledger's entry for what they changed.
    private mutating func step(_ events: [BillingEvent], _ eventID: UUID?) -> AccountState {
        let state = state(events)
        voidCheckpoints.formUnion(state.voidCheckpoints)
        if let entry = state.entry(after: last, granted: granted, eventID: eventID) {
            entries.append(entry)
            last = entry
        }
        granted = state.current.granted
        return state
    }

    private func state(_ events: [BillingEvent]) -> AccountState {
        let grants = loaded.grants[row.userID] ?? []
        let lines = Set(
            events.compactMap(\.subscriptionID).map(BucketSeries.subscription)
                + grants.map { BucketSeries.grant($0.id) })
        let own = Set(events.compactMap(\.subscriptionID))
        let checkpoints = loaded.checkpoints.filter { own.contains($0.key) }
        // What this fold charges itself is not in the ledger yet, from which `loaded.usage` was read.
        let usageNow =
            recorded.map { Usage(line: $0.line, begin: $0.begin, at: $0.firstAt, units: $0.consumed) }
            + opening.map { Usage(line: $0.line, begin: $0.begin, at: $0.firstAt, units: -$0.adjusted) }
        return Account(
            userID: row.userID, createdAt: row.createdAt, events: events,
            charges: charges.charges(of: row.userID, lines: lines) + recorded, usage: loaded.usage + usageNow,
            grants: grants, checkpoints: checkpoints
        ).state(at: loaded.now, catalog: loaded.catalog, policy: loaded.inForce.policy)
    }
}

/// Charges by whom they count for: the free plan's months are the account's own, while a subscription's charges go with
/// it, whoever had it when they were made.
struct ChargeBook {
    private var free: [UUID: [Charge]] = [:]
    private var lines: [BucketSeries: [Charge]] = [:]

    init(_ rows: [ChargeRow]) {
        for row in rows {
            if row.charge.line == .free {
                free[row.userID, default: []].append(row.charge)
            } else {
                lines[row.charge.line, default: []].append(row.charge)
            }
        }
    }

    func charges(of user: UUID, lines: Set<BucketSeries>) -> [Charge] {
        (free[user] ?? []) + lines.flatMap { self.lines[$0] ?? [] }
    }
}
