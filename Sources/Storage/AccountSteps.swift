import Billing
import Foundation

/// One account's way through a batch: what the clock brings first, then each new event in turn, so that every ledger entry
/// names the event that brought it, as if they had come one by one.
struct AccountSteps {
    private let batch: FoldBatch
    private let row: AccountRow
    /// What the ledger says of what the row shows.
    private var last: LedgerEntry
    private let buckets: [BucketRow]
    private let charges: [ChargeRow]
    /// What another program changed, on whichever account: it goes with the subscription.
    private let opening: [Charge]

    private(set) var entries: [LedgerEntry] = []
    /// What this fold itself charged.
    private(set) var recorded: [Charge] = []
    /// The new events that changed something.
    private(set) var applied: Set<UUID> = []

    init(
        batch: FoldBatch, row: AccountRow, last: LedgerEntry, charges: [ChargeRow], opening: [Charge],
        buckets: [BucketRow]
    ) {
        self.batch = batch
        self.row = row
        self.last = last
        self.charges = charges
        self.opening = opening
        self.buckets = buckets
    }

    mutating func run() throws(UnitRefusal) -> AccountState {
        let arrived = Set(batch.arrivals)
        let readable = batch.related.filter { !$0.isUndecodable }
        let stored = readable.filter { !arrived.contains($0.id) }
        let others = batch.others.filter { $0.userID == row.userID && !$0.isUndecodable }.map(\.event)
        let before = stored.filter { $0.userID == row.userID }.map(\.event)
        let after = stored.filter(isOwn).map(\.event)
        let arriving = batch.arrivals.compactMap { id in readable.first { $0.id == id && isOwn($0) }?.event }

        var granted = buckets.first { $0.bucket.line == last.line && $0.bucket.begin == last.begin }?.bucket.granted

        func step(_ events: [BillingEvent], _ eventID: UUID?, _ steps: inout AccountSteps) -> AccountState {
            let state = steps.account(events)
                .state(at: steps.batch.now, catalog: steps.batch.catalog, policy: steps.batch.policy)
            if let entry = state.entry(after: steps.last, granted: granted, eventID: eventID) {
                steps.entries.append(entry)
                steps.last = entry
            }
            granted = state.current.granted
            return state
        }

        var state = step(others + before, nil, &self)
        if before != after && arriving.isEmpty { state = step(others + after, nil, &self) }
        var events = others + after
        for event in arriving {
            events.append(event)
            let next = step(events, event.id, &self)
            if !next.saysNothingNew(since: state) { applied.insert(event.id) }
            state = next
        }
        if let request = batch.request, request.userID == row.userID {
            let granted = try state.grant(request, at: batch.now, after: last) { charge in
                recorded.append(charge)
                return account(events).state(at: batch.now, catalog: batch.catalog, policy: batch.policy)
            }
            entries.append(granted.entry)
            state = granted.state
        }
        return state
    }

    private func isOwn(_ stored: StoredEvent) -> Bool {
        if stored.event.isOrder { return batch.orders.owner(of: stored.event) == row.userID }
        return stored.event.subscriptionID.flatMap { batch.owners[$0] } == .account(row.userID)
    }

    /// The account with these events, and with the charges of their lines: a subscription's charges go with it, whoever
    /// had it when they were made.
    private func account(_ events: [BillingEvent]) -> Account {
        let grants = batch.grants[row.userID] ?? []
        let lines = Set(events.compactMap(\.subscriptionID).map(Line.subscription) + grants.map { Line.grant($0.id) })
        let own = charges.filter { row in
            row.charge.line == .free ? row.userID == self.row.userID : lines.contains(row.charge.line)
        }
        return Account(
            userID: row.userID, createdAt: row.createdAt, events: events, charges: own.map(\.charge) + recorded,
            usage: batch.usage + usageNow, grants: grants)
    }

    /// What this fold charges itself, which no ledger tells yet.
    private var usageNow: [Usage] {
        recorded.map { Usage(line: $0.line, begin: $0.begin, at: $0.firstAt, units: $0.consumed) }
            + opening.map { Usage(line: $0.line, begin: $0.begin, at: $0.firstAt, units: -$0.adjusted) }
    }
}
