public import Billing
public import Foundation
import LemonSqueezy

/// Brings accounts up to date inside a transaction: load all that concerns them, fold, save what differs.
///
/// Decides by the settings that the database holds; the program's own count only where it holds none.
public struct Fold: Sendable {
    let transaction: any StoreTransaction
    let policy: BillingPolicy

    public init(_ transaction: any StoreTransaction, policy: BillingPolicy) {
        self.transaction = transaction
        self.policy = policy
    }

    func inForce() async throws -> PolicyInForce {
        PolicyInForce(own: policy, stored: try await transaction.settings(locked: false))
    }

    /// Stores a batch of events and folds them into their accounts.
    ///
    /// - Returns: one receipt an event, in the order given.
    public func receive(_ events: [InboxEvent]) async throws -> [Receipt] {
        let inForce = try await inForce()
        let events = events.map { $0.judged(by: inForce.policy.acceptance) }
        var scope = Relations(of: events.filter(\.concernsAccounts))
        try await transaction.lock(scope)
        let insertions = try await transaction.insert(events)
        // A resend is judged anew: what was quarantined may be accepted by now (R4).
        let accepted = Dictionary(
            zip(insertions, events).filter { $0.outcome == .quarantined && $1.outcome != .quarantined }
                .map { ($0.id, $1) }
        ) { first, _ in first }
        if !accepted.isEmpty { try await transaction.redecode(accepted) }
        var arrivals: [UUID] = []
        for (event, insertion) in zip(events, insertions) where event.concernsAccounts {
            let isDecided = insertion.isNew || insertion.outcome == .failed || accepted[insertion.id] != nil
            if isDecided && !arrivals.contains(insertion.id) { arrivals.append(insertion.id) }
        }
        var verdicts: [UUID: Verdict] = [:]
        if !arrivals.isEmpty {
            // A snapshot's order is locked, too, so that neither misses the other; but it leads to no further subscription.
            scope.orders = Set(events.compactMap { $0.order?.orderID })
            try await widen(&scope)
            verdicts = try await decide(scope, users: [], arrivals: arrivals, inForce: inForce).verdicts
        }
        return insertions.map { insertion in
            let decided = verdicts[insertion.id].map { ($0.outcome, $0.reason) }
            let (outcome, reason) =
                decided ?? accepted[insertion.id].map { ($0.outcome, $0.reason) }
                ?? (insertion.outcome, insertion.reason)
            return Receipt(
                eventID: insertion.id, outcome: outcome, reason: reason, isDuplicate: !insertion.isNew)
        }
    }

    /// Stores an event that could not be folded, so that it is tried again later.
    ///
    /// - Parameter reason: short and machine-readable.
    public func setAside(_ event: InboxEvent, reason: String) async throws -> Insertion? {
        var event = event.judged(by: try await inForce().policy.acceptance)
        // Only the fold can have failed for reasons that storing alone does not share.
        if event.concernsAccounts { (event.outcome, event.reason) = (.failed, reason) }
        return try await transaction.insert([event]).first
    }

    /// Looks at accounts, and at subscriptions that may find one now, without a new event.
    ///
    /// - Parameters:
    ///   - arrivals: stored events that are to be decided again, as if they had just come.
    @discardableResult
    public func refresh(
        users: Set<UUID>, relations: Relations = Relations(), arrivals: [UUID] = []
    ) async throws -> FoldResult {
        let inForce = try await inForce()
        let scope = try await lockedScope(of: users, relations, inForce)
        return try await decide(scope, users: users, arrivals: arrivals, inForce: inForce)
    }

    /// Decides stored events again, as if they had just come (R1).
    @discardableResult
    public func retry(_ events: [UUID]) async throws -> FoldResult {
        try await refresh(users: [], relations: try await transaction.relations(ofEvents: events), arrivals: events)
    }

    /// Charges or adjusts units (R15). A task that was charged before is not charged again: its entry is returned.
    ///
    /// - Throws: `UnitRefusal`; `StoreError.notFound` if there is no such account.
    public func grant(_ request: UnitRequest) async throws -> LedgerEntry {
        let inForce = try await inForce()
        let scope = try await lockedScope(of: [request.userID], Relations(), inForce)
        let result = try await decide(scope, users: [request.userID], arrivals: [], request: request, inForce: inForce)
        guard let entry = result.granted else { throw StoreError.notFound("account \(request.userID)") }
        if case .adjust(let reason) = request.kind {
            try await transaction.insert(
                OperatorAction(
                    userID: request.userID,
                    kind: .adjust(units: request.units, line: entry.line, begin: entry.begin), reason: reason))
        }
        return entry
    }

    /// What concerns accounts, locked before anything is read of it.
    func lockedScope(of users: Set<UUID>) async throws -> Relations {
        try await lockedScope(of: users, Relations(), try await inForce())
    }

    private func lockedScope(
        of users: Set<UUID>, _ relations: Relations, _ inForce: PolicyInForce
    ) async throws -> Relations {
        var scope = try await transaction.relations(of: users, matchByEmail: inForce.policy.matchByEmail)
        scope.formUnion(relations)
        try await transaction.lock(scope)
        try await widen(&scope)
        return scope
    }

    /// An order belongs to the subscription that was bought with it (R18), which the order itself does not name. Nothing is
    /// locked for that: a second lock could meet those of a transaction that took them in their order, and whoever works on
    /// the subscription holds its customer.
    private func widen(_ scope: inout Relations) async throws {
        guard !scope.orders.isEmpty else { return }
        scope.subscriptions.formUnion(try await transaction.subscriptions(ofOrders: scope.orders))
    }

    /// All events of the scope's subscriptions, and of all subscriptions of their customers.
    ///
    /// An event may name no customer, though others of its subscription do: then that customer's other subscriptions
    /// belong to the scope as well, since they may say whose it is (R5).
    private func related(_ scope: Relations) async throws -> [StoredEvent] {
        var scope = scope
        while true {
            let related = try await transaction.events(scope, users: [])
            let further = Set(related.compactMap(\.event.customerID)).subtracting(scope.customers)
            if further.isEmpty { return related }
            try await transaction.lock(Relations(customers: further))
            scope.customers.formUnion(further)
        }
    }

    private func decide(
        _ scope: Relations, users: Set<UUID>, arrivals: [UUID], request: UnitRequest? = nil, inForce: PolicyInForce
    ) async throws -> FoldResult {
        let policy = inForce.policy
        let related = try await related(scope)
        let catalog = try await transaction.catalog()
        let attributions = try await transaction.attributions(of: Set(related.compactMap(\.event.subscriptionID)))
        let named = Set(related.compactMap(\.event.claimedUserID))
            .union(attributions.bindings.values).union(attributions.matches.values)
        let accounts = try await transaction.knownAccounts(
            ids: named, emails: policy.matchByEmail ? Set(related.compactMap { $0.event.email?.lowercased() }) : [])
        let claims = Claims(
            events: related.map(\.event), attributions: attributions, accounts: accounts,
            matchByEmail: policy.matchByEmail)
        let owners = Dictionary(uniqueKeysWithValues: claims.subscriptions.map { ($0, claims.owner(of: $0)) })
        let orders = OrderOwners(events: related.map(\.event), owners: owners, accounts: accounts)
        var concerned = users.union(related.compactMap(\.userID)).union(orders.accounts)
        for case .account(let user) in owners.values { concerned.insert(user) }

        // From here on the accounts stand still: what is read of them is what will be when this is committed.
        let rows = try await transaction.lockAccounts(concerned)
        if let task = request?.taskID, let entry = try await transaction.entry(task: task) {
            return FoldResult(found: rows, granted: entry)
        }
        let now = try await transaction.now()
        let known = Set(related.map(\.id))
        let others = try await transaction.events(Relations(), users: concerned).filter { !known.contains($0.id) }
        let batch = FoldBatch(
            now: now, catalog: catalog, policy: policy, revision: inForce.revision, related: related, others: others,
            owners: owners, orders: orders, arrivals: arrivals, request: request,
            grants: try await transaction.grants(of: concerned),
            usage: try await usage(related + others, policy))
        let lines = Set((related + others).compactMap(\.event.subscriptionID).map(Line.subscription))
        let subscriptions = try await transaction.subscriptions(
            users: concerned, ids: Set(owners.keys), catalog: catalog)
        let buckets = try await transaction.buckets(users: concerned)
        let (changes, verdicts) = try batch.fold(
            rows: rows, charges: try await transaction.charges(users: concerned, lines: lines),
            subscriptions: subscriptions, buckets: buckets)
        // Remembered before the account's row changes: whoever has that e-mail later finds it taken (R5).
        for (subscription, user) in claims.newMatches where rows.contains(where: { $0.userID == user }) {
            try await transaction.insert(
                OperatorAction(userID: user, kind: .match(subscription: subscription), reason: nil))
        }
        if !changes.isEmpty { try await transaction.save(changes) }
        if !verdicts.isEmpty { try await transaction.save(verdicts) }
        return FoldResult(
            verdicts: Dictionary(uniqueKeysWithValues: verdicts.map { ($0.eventID, $0) }), changes: changes,
            found: rows, subscriptions: subscriptions, buckets: buckets,
            granted: request.flatMap { request in changes.entries.last { $0.userID == request.userID } })
    }

    /// When units were used, of the subscriptions that were refunded; else nobody asks (R18).
    private func usage(_ events: [StoredEvent], _ policy: BillingPolicy) async throws -> [Usage] {
        guard policy.refundUnits == .take, events.contains(where: \.event.isFullRefund) else { return [] }
        return try await transaction.usage(
            lines: Set(events.compactMap(\.event.subscriptionID).map(Line.subscription)))
    }
}

extension Relations {
    init(of events: [InboxEvent]) {
        self.init(
            customers: Set(events.compactMap(\.customerID)), subscriptions: Set(events.compactMap(\.subscriptionID)),
            orders: Set(events.compactMap { $0.snapshot?.orderID ?? $0.order?.orderID }))
    }

    mutating func formUnion(_ other: Relations) {
        customers.formUnion(other.customers)
        subscriptions.formUnion(other.subscriptions)
        orders.formUnion(other.orders)
    }
}
