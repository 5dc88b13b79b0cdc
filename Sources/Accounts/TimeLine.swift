public import Billing
import Databases
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
    /// Changes by another program that look as if it, too, had given what an event of the provider's gives: exactly a
    /// plan's units, right before or after such an event.
    public var doublings: [LedgerRecord]
    /// In order of their arrival here.
    public var items: [(at: Date, item: Item)]
}

extension TimeLine {
    /// - Throws: `StoreError.notFound` if there is no such account.
    public init(account id: UUID, store: Store, policy: BillingPolicy) async throws {
        guard let user = try await store.user(id: id) else { throw StoreError.notFound("account \(id)") }
        try await self.init(user: user, subscription: nil, store: store, policy: policy)
    }

    /// - Throws: `StoreError.notFound` if nothing is known of it.
    public init(subscription id: String, store: Store, policy: BillingPolicy) async throws {
        var filter = EventFilter()
        filter.subscriptionID = id
        let records = try await store.primary.eventRecords(filter, limit: 1, before: nil)
        let owner = try await store.subscription(id)?.userID ?? records.compactMap(\.userID).first
        guard owner != nil || !records.isEmpty else { throw StoreError.notFound("subscription “\(id)”") }
        var user: User?
        if let owner { user = try await store.user(id: owner) }
        try await self.init(user: user, subscription: id, store: store, policy: policy)
    }

    private init(user: User?, subscription: String?, store: Store, policy: BillingPolicy) async throws {
        let (events, account, catalog, policy, now) = try await store.transaction { transaction in
            let users = Set([user?.id].compactMap(\.self))
            let events = try await transaction.events(
                Relations(subscriptions: Set([subscription].compactMap(\.self))), users: users)
            let lines = Set(events.compactMap(\.event.subscriptionID).map(BucketSeries.subscription))
            let now = try await transaction.now()
            let account = Account(
                userID: user?.id ?? UUID(), createdAt: user?.createdAt ?? now,
                events: events.filter { !$0.isUndecodable }.map(\.event),
                charges: try await transaction.charges(users: users, lines: []).map(\.charge),
                usage: try await transaction.usage(lines: lines),
                grants: try await transaction.grants(of: users).values.flatMap(\.self))
            let policy = try await Fold(transaction, policy: policy).inForce().policy
            return (events, account, try await transaction.catalog(), policy, now)
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
        var ledger: [LedgerRecord] = []
        if let user {
            entitlement = try await store.entitlement(user: user.id)
            buckets = try await store.buckets(user: user.id).filter { isShown($0.line.rawValue) }
            subscriptions = try await store.primary.subscriptions(user: user.id, limit: 1000, before: nil)
                .filter { isShown($0.lemonSqueezySubscriptionID) }
            ledger = try await store.ledger(user: user.id)
        }
        // With a subscription's own events, the order's that it was bought with.
        let orders = Set(events.filter(\.event.isOrder).map(\.id))
        let records = try await store.eventRecords(ids: events.map(\.id))
            .filter { isShown($0.subscriptionID) || orders.contains($0.id) }
        let reasons = account.reasons(catalog: catalog, policy: policy, at: now)
        let shown = Set(records.map(\.id))
        items = records.map { record in
            let entries = ledger.filter { $0.entry.eventID == record.id }
            return (record.receivedAt, Item.event(record, reasons: reasons[record.id] ?? [], entries: entries))
        }
        items += ledger.filter { $0.entry.eventID.map { !shown.contains($0) } ?? true }
            .filter { isShown($0.entry.line.rawValue) }
            .map { ($0.createdAt, Item.entry($0)) }
        items += try await store.operatorRecords(user: user?.id, subscription: subscription)
            .filter { subscription == nil || $0.subscription == subscription }
            .map { ($0.at, Item.act($0)) }
        if let user {
            items += try await store.overwrites(of: user.id).filter { isShown($0.subscriptionID) }
                .map { ($0.at, Item.overwrite($0)) }
        }
        let units = Set(catalog.plans.values.map(\.monthlyComputeUnits)).subtracting([0])
        doublings = ledger.doublings(events: Set(records.filter { $0.subscriptionID != nil }.map(\.id)), units: units)
        items.sort { $0.at < $1.at }
    }
}

extension [LedgerRecord] {
    /// - Parameters:
    ///   - events: about subscriptions.
    ///   - units: that plans give a month.
    fileprivate func doublings(events: Set<UUID>, units: Set<Int>) -> [LedgerRecord] {
        indices.filter { index in
            guard self[index].entry.kind == .external, units.contains(self[index].entry.units) else { return false }
            let neighbours = [index - 1, index + 1].filter(indices.contains).map { self[$0] }
            return neighbours.contains { $0.entry.eventID.map(events.contains) ?? false }
        }.map { self[$0] }
    }
}
