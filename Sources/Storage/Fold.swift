public import Billing
public import Foundation

/// Brings accounts up to date inside a transaction: load all that concerns them, fold, save what differs.
public struct Fold: Sendable {
    private let transaction: any StoreTransaction
    private let policy: BillingPolicy

    public init(_ transaction: any StoreTransaction, policy: BillingPolicy) {
        self.transaction = transaction
        self.policy = policy
    }

    /// Stores a batch of events and folds them into their accounts.
    ///
    /// - Returns: one receipt an event, in the order given.
    public func receive(_ events: [InboxEvent]) async throws -> [Receipt] {
        let scope = Relations(
            customers: Set(events.filter(\.concernsAccounts).compactMap(\.customerID)),
            subscriptions: Set(events.filter(\.concernsAccounts).compactMap(\.subscriptionID)))
        try await transaction.lock(customers: scope.customers, subscriptions: scope.subscriptions)
        let insertions = try await transaction.insert(events)
        let arrivals = zip(events, insertions)
            .filter { event, insertion in
                event.concernsAccounts && (insertion.isNew || insertion.outcome == .failed)
            }
            .map(\.1.id)
        var verdicts: [UUID: Verdict] = [:]
        if !arrivals.isEmpty {
            verdicts = try await decide(scope, users: [], arrivals: arrivals)
        }
        return insertions.map { insertion in
            let verdict = verdicts[insertion.id]
            return Receipt(
                eventID: insertion.id, outcome: verdict?.outcome ?? insertion.outcome,
                reason: verdict == nil ? insertion.reason : verdict?.reason, isDuplicate: !insertion.isNew)
        }
    }

    /// Looks at accounts, and at subscriptions that may find one now, without a new event.
    ///
    /// - Parameters:
    ///   - arrivals: stored events that are to be decided again, as if they had just come.
    @discardableResult
    public func refresh(
        users: Set<UUID>, subscriptions: Set<String> = [], arrivals: [UUID] = []
    ) async throws -> [UUID: Verdict] {
        var scope = try await transaction.relations(of: users, matchByEmail: policy.matchByEmail)
        scope.subscriptions.formUnion(subscriptions)
        try await transaction.lock(customers: scope.customers, subscriptions: scope.subscriptions)
        return try await decide(scope, users: users, arrivals: arrivals)
    }

    private func decide(
        _ scope: Relations, users: Set<UUID>, arrivals: [UUID]
    ) async throws -> [UUID: Verdict] {
        let related = try await transaction.events(
            customers: scope.customers, subscriptions: scope.subscriptions, users: [])
        let catalog = try await transaction.catalog()
        let claims = Claims(
            events: related.map(\.event),
            bindings: try await transaction.bindings(of: Set(related.compactMap(\.event.subscriptionID))),
            accounts: try await transaction.knownAccounts(
                ids: Set(related.compactMap(\.event.claimedUserID)).union(related.compactMap(\.userID)),
                emails: policy.matchByEmail ? Set(related.compactMap { $0.event.email?.lowercased() }) : []),
            matchByEmail: policy.matchByEmail)
        let owners = Dictionary(
            uniqueKeysWithValues: Set(related.compactMap(\.event.subscriptionID)).map { ($0, claims.owner(of: $0)) })
        var concerned = users.union(related.compactMap(\.userID))
        for case .account(let user) in owners.values { concerned.insert(user) }

        // From here on the accounts stand still: what is read of them is what will be when this is committed.
        let rows = try await transaction.lockAccounts(concerned)
        let now = try await transaction.now()
        let known = Set(related.map(\.id))
        let others = try await transaction.events(customers: [], subscriptions: [], users: concerned)
            .filter { !known.contains($0.id) }
        let batch = FoldBatch(
            now: now, catalog: catalog, policy: policy, related: related, others: others, owners: owners,
            arrivals: arrivals)
        let lines = Set((related + others).compactMap(\.event.subscriptionID).map(Line.subscription))
        let (changes, verdicts) = batch.fold(
            rows: rows,
            charges: try await transaction.charges(users: concerned, lines: lines),
            subscriptions: try await transaction.subscriptions(
                users: concerned, ids: Set(owners.keys), catalog: catalog),
            buckets: try await transaction.buckets(users: concerned))
        if !changes.isEmpty { try await transaction.save(changes) }
        if !verdicts.isEmpty { try await transaction.save(verdicts) }
        return Dictionary(uniqueKeysWithValues: verdicts.map { ($0.eventID, $0) })
    }
}
