public import Billing
public import Foundation
public import Selextract

/// Why an account, or a subscription that has none yet, is as it is: what came, what it meant, and what it changed.
public struct TimeLine: Sendable {
    public enum Item: Sendable {
        /// A stored event, what the rules read in it, and the ledger's entries that it brought.
        case event(EventRecord, reasons: [Reason], entries: [LedgerRecord])
        /// A change that no event brought: the clock's, a task's, an operator's, another program's.
        case entry(LedgerRecord)
        case binding(subscription: String, user: UUID, reason: String?)
    }

    /// nil: the subscription belongs to nobody yet.
    public var user: User?
    public var entitlement: Entitlement?
    public var subscriptions: [UserSubscription]
    /// Those whose present month has been locked for too long while active, by the provider's id (R17).
    public var overdue: Set<String>
    public var buckets: [Bucket]
    /// In order of their arrival here.
    public var items: [(at: Date, item: Item)]
}

extension TimeLine {
    /// - Throws: `StoreError.notFound` if there is no such account.
    public init(account id: UUID, store: any Store, policy: BillingPolicy) async throws {
        guard let user = try await store.user(id: id) else { throw StoreError.notFound("account \(id)") }
        try await self.init(user: user, subscription: nil, store: store, policy: policy)
    }

    /// - Throws: `StoreError.notFound` if nothing is known of it.
    public init(subscription id: String, store: any Store, policy: BillingPolicy) async throws {
        var filter = EventFilter()
        filter.subscriptionID = id
        let records = try await store.eventRecords(filter, limit: 1, before: nil)
        let owner = try await store.subscription(id)?.userID ?? records.compactMap(\.userID).first
        guard owner != nil || !records.isEmpty else { throw StoreError.notFound("subscription “\(id)”") }
        var user: User?
        if let owner { user = try await store.user(id: owner) }
        try await self.init(user: user, subscription: id, store: store, policy: policy)
    }

    private init(user: User?, subscription: String?, store: any Store, policy: BillingPolicy) async throws {
        let (events, catalog, charges, now) = try await store.transaction { transaction in
            let users = Set([user?.id].compactMap(\.self))
            let events = try await transaction.events(
                customers: [], subscriptions: Set([subscription].compactMap(\.self)), users: users)
            let charges = try await transaction.charges(users: users, lines: [])
            return (events, try await transaction.catalog(), charges, try await transaction.now())
        }
        let account = Account(
            userID: user?.id ?? UUID(), createdAt: user?.createdAt ?? now,
            events: events.filter { !$0.isUndecodable }.map(\.event), charges: charges.map(\.charge))
        let state = account.state(at: now, catalog: catalog, policy: policy)
        let isShown: (String?) -> Bool = { subscription == nil || $0 == subscription }

        self.user = user
        overdue = Set(
            state.subscriptions.filter { $0.isRenewalOverdue(at: now, grace: policy.renewalOverdueAfter) }.map(\.id))
        entitlement = nil
        subscriptions = []
        buckets = []
        var ledger: [LedgerRecord] = []
        if let user {
            entitlement = try await store.entitlement(user: user.id)
            buckets = try await store.buckets(user: user.id).filter { isShown($0.line.rawValue) }
            subscriptions = try await store.subscriptions(user: user.id, limit: 1000, before: nil)
                .filter { isShown($0.lemonSqueezySubscriptionID) }
            ledger = try await store.ledger(user: user.id)
        }
        let records = try await store.eventRecords(ids: events.map(\.id)).filter { isShown($0.subscriptionID) }
        let reasons = account.reasons(catalog: catalog)
        let shown = Set(records.map(\.id))
        items = records.map { record in
            let entries = ledger.filter { $0.entry.eventID == record.id }
            return (record.receivedAt, Item.event(record, reasons: reasons[record.id] ?? [], entries: entries))
        }
        items += ledger.filter { $0.entry.eventID.map { !shown.contains($0) } ?? true }
            .filter { isShown($0.entry.line.rawValue) }
            .map { ($0.createdAt, Item.entry($0)) }
        items += try await store.bindings(user: user?.id, subscription: subscription).map {
            ($0.at, Item.binding(subscription: $0.subscription, user: $0.user, reason: $0.reason))
        }
        items.sort { $0.at < $1.at }
    }
}

/// An operator's word whose a subscription is (R5).
public struct Binding: Sendable, Hashable {
    public var at: Date
    public var subscription: String
    public var user: UUID
    public var reason: String?

    public init(at: Date, subscription: String, user: UUID, reason: String?) {
        self.at = at
        self.subscription = subscription
        self.user = user
        self.reason = reason
    }
}
