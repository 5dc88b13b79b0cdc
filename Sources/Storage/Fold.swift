public import Billing
public import Foundation

/// Brings accounts up to date inside a transaction: load all that concerns them, fold, save what differs.
public struct Fold: Sendable {
    let transaction: any StoreTransaction
    let policy: BillingPolicy

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
            verdicts = try await decide(scope, users: [], arrivals: arrivals).verdicts
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
        users: Set<UUID>, subscriptions: Set<String> = [], customers: Set<String> = [], arrivals: [UUID] = []
    ) async throws -> FoldResult {
        let scope = try await lockedScope(of: users, subscriptions: subscriptions, customers: customers)
        return try await decide(scope, users: users, arrivals: arrivals)
    }

    /// Decides stored events again, as if they had just come (R1).
    @discardableResult
    public func retry(_ events: [UUID]) async throws -> FoldResult {
        try await refresh(
            users: [], subscriptions: try await transaction.subscriptions(of: events), arrivals: events)
    }

    /// Charges or adjusts units (R15). A task that was charged before is not charged again: its entry is returned.
    ///
    /// - Throws: `UnitRefusal`; `StoreError.notFound` if there is no such account.
    public func grant(_ request: UnitRequest) async throws -> LedgerEntry {
        let scope = try await lockedScope(of: [request.userID])
        let result = try await decide(scope, users: [request.userID], arrivals: [], request: request)
        guard let entry = result.granted else { throw StoreError.notFound("account \(request.userID)") }
        if case .adjust(let reason) = request.kind {
            try await transaction.insert(
                OperatorAction(
                    userID: request.userID,
                    kind: .adjust(units: request.units, line: entry.line, begin: entry.begin), reason: reason))
        }
        return entry
    }

    func lockedScope(
        of users: Set<UUID>, subscriptions: Set<String> = [], customers: Set<String> = []
    ) async throws -> Relations {
        var scope = try await transaction.relations(of: users, matchByEmail: policy.matchByEmail)
        scope.customers.formUnion(customers)
        scope.subscriptions.formUnion(subscriptions)
        try await transaction.lock(customers: scope.customers, subscriptions: scope.subscriptions)
        return scope
    }

    /// All events of the scope's subscriptions, and of all subscriptions of their customers.
    ///
    /// An event may name no customer, though others of its subscription do: then that customer's other subscriptions
    /// belong to the scope as well, since they may say whose it is (R5).
    private func related(_ scope: Relations) async throws -> [StoredEvent] {
        var scope = scope
        while true {
            let related = try await transaction.events(
                customers: scope.customers, subscriptions: scope.subscriptions, users: [])
            let further = Set(related.compactMap(\.event.customerID)).subtracting(scope.customers)
            if further.isEmpty { return related }
            try await transaction.lock(customers: further, subscriptions: [])
            scope.customers.formUnion(further)
        }
    }

    private func decide(
        _ scope: Relations, users: Set<UUID>, arrivals: [UUID], request: UnitRequest? = nil
    ) async throws -> FoldResult {
        let related = try await related(scope)
        let catalog = try await transaction.catalog()
        let bindings = try await transaction.bindings(of: Set(related.compactMap(\.event.subscriptionID)))
        let claims = Claims(
            events: related.map(\.event), bindings: bindings,
            accounts: try await transaction.knownAccounts(
                ids: Set(related.compactMap(\.event.claimedUserID)).union(bindings.values),
                emails: policy.matchByEmail ? Set(related.compactMap { $0.event.email?.lowercased() }) : []),
            matchByEmail: policy.matchByEmail)
        let owners = Dictionary(
            uniqueKeysWithValues: Set(related.compactMap(\.event.subscriptionID)).map { ($0, claims.owner(of: $0)) })
        var concerned = users.union(related.compactMap(\.userID))
        for case .account(let user) in owners.values { concerned.insert(user) }

        // From here on the accounts stand still: what is read of them is what will be when this is committed.
        let rows = try await transaction.lockAccounts(concerned)
        if let task = request?.taskID, let entry = try await transaction.entry(task: task) {
            return FoldResult(found: rows, granted: entry)
        }
        let now = try await transaction.now()
        let known = Set(related.map(\.id))
        let others = try await transaction.events(customers: [], subscriptions: [], users: concerned)
            .filter { !known.contains($0.id) }
        let batch = FoldBatch(
            now: now, catalog: catalog, policy: policy, related: related, others: others, owners: owners,
            arrivals: arrivals, request: request)
        let lines = Set((related + others).compactMap(\.event.subscriptionID).map(Line.subscription))
        let (changes, verdicts) = try batch.fold(
            rows: rows,
            charges: try await transaction.charges(users: concerned, lines: lines),
            subscriptions: try await transaction.subscriptions(
                users: concerned, ids: Set(owners.keys), catalog: catalog),
            buckets: try await transaction.buckets(users: concerned))
        if !changes.isEmpty { try await transaction.save(changes) }
        if !verdicts.isEmpty { try await transaction.save(verdicts) }
        return FoldResult(
            verdicts: Dictionary(uniqueKeysWithValues: verdicts.map { ($0.eventID, $0) }), changes: changes,
            found: rows,
            granted: request.flatMap { request in changes.entries.last { $0.userID == request.userID } })
    }
}
