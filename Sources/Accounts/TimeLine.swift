public import Billing
public import Databases
public import Foundation
public import Selextract
public import Storage

/// Why an account, or a subscription that has none yet, is as it is: what came, what it meant, and what it changed.
public struct TimeLine: Sendable {
    public enum Item: Sendable {
        /// A stored event, what the rules read in it, and the ledger's entries that it brought.
        case event(EventRecord, reasons: [Reason], entries: [LedgerRecord])
        /// A change that no event brought: the clock's, a task's, an operator's, another program's.
        case entry(LedgerRecord)
        case act(OperatorRecord)
        /// Units that another program has written, and that are not in the ledger yet (R15).
        case pending(PendingUnits)
        /// Another program changed a row that follows from events.
        case overwrite(SubscriptionOverwrite)
    }

    /// nil: the subscription belongs to nobody yet.
    public var user: User?
    public var entitlement: Entitlement?
    public var subscriptions: [UserSubscription]
    /// Those whose present month has been locked for too long while active, by the provider's id (R17).
    public var overdue: Set<String>
    /// Subscriptions that give access, too, but do not count now, since another comes first (R14): line, and the units
    /// left in it.
    public var waiting: [(line: String, units: Int)]
    public var buckets: [Bucket]
    /// Changes by another program that look as if it, too, had given what an event of the provider's gives.
    public var doublings: [LedgerRecord]
    /// In order of their arrival here.
    public var items: [(at: Date, item: Item)]
    /// Older entries of the ledger are left out.
    public var isCut: Bool
    /// What belongs here and cannot be read: all else is shown, computed without it.
    public var unreadable: [UnreadableRow]
}

extension TimeLine {
    /// - Parameters:
    ///   - latest: so many entries of the ledger are read at most, the latest; nil: all are.
    ///   - limits: of the transaction that reads what the account is computed from.
    /// - Throws: `StoreError.notFound` if there is no such account.
    public init(
        account id: UUID, store: Store, policy: BillingPolicy, latest: Int? = nil, limits: TransactionLimits = .patient
    ) async throws {
        guard let user = try await store.user(id: id) else { throw StoreError.notFound("account \(id)") }
        try await self.init(
            user: user, subscription: nil, store: store, policy: policy, latest: latest, limits: limits)
    }

    /// - Parameters: as above.
    /// - Throws: `StoreError.notFound` if nothing is known of it.
    public init(
        subscription id: String, store: Store, policy: BillingPolicy, latest: Int? = nil,
        limits: TransactionLimits = .patient
    ) async throws {
        var filter = EventFilter()
        filter.subscriptionID = id
        let records = try await store.primary.eventRecords(filter, limit: 1, before: nil)
        // If it cannot be read it is named with what else is its account's.
        var unread = records.unreadable
        let own = try await readable(&unread) { [try await store.subscription(id)].compactMap(\.self) }
        let owner = own.first?.userID ?? records.compactMap(\.userID).first
        guard owner != nil || !records.isEmpty || !unread.isEmpty else {
            throw StoreError.notFound("subscription “\(id)”")
        }
        var user: User?
        if let owner { user = try await store.user(id: owner) }
        try await self.init(
            user: user, subscription: id, store: store, policy: policy, latest: latest, limits: limits)
    }

    private init(
        user: User?, subscription: String?, store: Store, policy: BillingPolicy, latest: Int?,
        limits: TransactionLimits
    ) async throws {
        let (events, account, catalog, policy, now, unreadFacts) = try await store.transaction(limits) { transaction in
            var unread: [UnreadableRow] = []
            let users = Set([user?.id].compactMap(\.self))
            let events = try await transaction.events(
                Relations(subscriptions: Set([subscription].compactMap(\.self))), users: users)
            let lines = Set(events.compactMap(\.event.subscriptionID).map(BucketSeries.subscription))
            let now = try await transaction.now()
            let policy = try await Fold(transaction, policy: policy).inForce().policy
            let account = Account(
                userID: user?.id ?? UUID(), createdAt: user?.createdAt ?? now,
                events: events.filter { !$0.isUndecodable }.map(\.event),
                charges: try await readable(&unread) {
                    try await transaction.charges(users: users, lines: []).map(\.charge)
                },
                usage: try await readable(&unread) {
                    // As a fold does: there may be very much of it.
                    policy.refundUnits == .take && events.contains(where: \.event.isFullRefund)
                        ? try await transaction.usage(lines: lines) : []
                },
                grants: try await readable(&unread) {
                    try await transaction.grants(of: users).values.flatMap(\.self)
                })
            return (events, account, try await transaction.catalog(), policy, now, unread + events.unreadable)
        }
        let state = account.state(at: now, catalog: catalog, policy: policy)
        let isShown: (String?) -> Bool = { subscription == nil || $0 == subscription }

        self.user = user
        overdue = Set(
            state.subscriptions.filter { $0.isRenewalOverdue(at: now, grace: policy.renewalOverdueAfter) }.map(\.id))
        waiting = state.waiting.map { ($0.id, $0.presentBucket(at: state.moment)?.shown ?? 0) }
        entitlement = nil
        subscriptions = []
        buckets = []
        isCut = false
        var ledger: [LedgerRecord] = []
        var unread = unreadFacts
        if let user {
            entitlement = try await readable(&unread) {
                [try await store.entitlement(user: user.id)].compactMap(\.self)
            }.first
            let stored = try await store.buckets(user: user.id)
            buckets = stored.filter { isShown($0.line.rawValue) }
            let rows = try await store.primary.subscriptions(user: user.id, limit: 1000, before: nil)
            subscriptions = rows.filter { isShown($0.lemonSqueezySubscriptionID) }
            let entries = try await store.ledger(user: user.id, latest: latest)
            isCut = entries.entries.count == latest
            ledger = entries.rows
            unread += stored.unreadable + rows.unreadable + entries.unreadable
        }
        let acts = try await store.operatorRecords(user: user?.id, subscription: subscription)
        ledger.name(acts.rows)
        // With a subscription's own events, the order's that it was bought with.
        let orders = Set(events.filter(\.event.isOrder).map(\.id))
        let inbox = try await store.eventRecords(ids: events.map(\.id))
        let records = inbox.filter { isShown($0.subscriptionID) || orders.contains($0.id) }
        let reasons = account.reasons(catalog: catalog, policy: policy, at: now)
        let shown = Set(records.map(\.id))
        items = records.map { record in
            let entries = ledger.filter { $0.entry.eventID == record.id }
            return (record.receivedAt, Item.event(record, reasons: reasons[record.id] ?? [], entries: entries))
        }
        items += ledger.filter { $0.entry.eventID.map { !shown.contains($0) } ?? true }
            .filter { isShown($0.entry.line.rawValue) }
            .map { ($0.createdAt, Item.entry($0)) }
        items += acts.filter { $0.kind != .adjust && (subscription == nil || $0.subscription == subscription) }
            .map { ($0.at, Item.act($0)) }
        if subscription == nil, let user, let pending = try await store.pendingUnits(user: user.id) {
            items.append((pending.at, .pending(pending)))
        }
        if let user {
            items += try await store.overwrites(of: user.id).filter { isShown($0.subscriptionID) }
                .map { ($0.at, Item.overwrite($0)) }
        }
        doublings = []
        if let user { doublings = try await readable(&unread) { try await store.doublings(of: user.id).map(\.record) } }
        items.sort { $0.at < $1.at }
        unreadable = []
        for row in unread + inbox.unreadable + acts.unreadable where !unreadable.contains(row) {
            unreadable.append(row)
        }
    }
}

/// What `body` reads; nothing if it meets a row that cannot be read, which is added to the others.
private func readable<Value>(
    _ unread: inout [UnreadableRow], _ body: () async throws -> [Value]
) async throws -> [Value] {
    do {
        return try await body()
    } catch StoreError.unreadable(let row) {
        unread.append(row)
        return []
    }
}

extension Store {
    /// Oldest first, the latest ones if not all.
    fileprivate func ledger(user: UUID, latest: Int?) async throws -> Listing<LedgerRecord> {
        guard let latest else { return try await ledger(user: user) }
        return Listing(try await ledger(user: user, limit: latest, before: nil).entries.reversed())
    }
}

extension [LedgerRecord] {
    /// Says of adjustments who made them: an act is written right behind its entry, in the same transaction.
    fileprivate mutating func name(_ acts: [OperatorRecord]) {
        for act in acts where act.kind == .adjust {
            let place = firstIndex {
                $0.entry.kind == .adjust && $0.by == nil && $0.entry.units == act.units && $0.entry.reason == act.reason
                    && (0..<30).contains(act.at.timeIntervalSince($0.createdAt))
            }
            if let place { self[place].by = act.by }
        }
    }
}
