public import Billing
import Databases
public import Foundation
public import Storage

/// Brings accounts up to date inside a transaction: load all that concerns them, fold, save what differs.
///
/// Decides by the settings that the database holds; the program's own count only where it holds none.
public struct Fold: Sendable {
    private let transaction: StoreTransaction
    private let policy: BillingPolicy

    public init(_ transaction: StoreTransaction, policy: BillingPolicy) {
        self.transaction = transaction
        self.policy = policy
    }

    func inForce() async throws -> PolicyInForce {
        PolicyInForce(own: policy, stored: try await transaction.settings())
    }

    /// Stores a batch of events and folds them into their accounts.
    ///
    /// - Returns: one decision an event, in the order given.
    public func receive(_ events: [InboxEvent]) async throws -> [EventDecision] {
        // Judged by this process's settings, to know what to lock: the database's are not loaded yet. If those differ,
        // `related` widens the scope.
        let probable = events.map { $0.judged(by: policy.acceptance) }
        let (related, inForce) = try await related(
            to: Relations(of: probable.filter(\.concernsAccounts)), events: events)
        let judged = events.map { $0.judged(by: inForce.policy.acceptance) }
        let batch = DeliveryBatch(judged, known: related.known) { UUID() }
        guard !batch.arrivals.isEmpty else {
            try await transaction.save(batch, FoldedAccounts(at: related.now))
            return batch.decisions([:])
        }
        var loaded = LoadedAccounts(related, inForce)
        loaded.add(batch.unstored)
        try await transaction.lockAccounts(&loaded)
        let folded = try loaded.fold(batch.arrivals)
        try await transaction.save(batch, folded)
        return batch.decisions(folded.decisions)
    }

    /// Stores an event that could not be folded, so that it is tried again later.
    ///
    /// - Parameter reason: short and machine-readable.
    public func setAside(_ event: InboxEvent, reason: String) async throws -> EventDecision? {
        var event = event.judged(by: try await inForce().policy.acceptance)
        // Events that concern no account are only stored; they have not failed, and keep their outcome.
        if event.concernsAccounts { (event.outcome, event.reason) = (.failed, reason) }
        return try await transaction.insert([event]).first
    }

    /// Computes accounts, and subscriptions that may belong to one now, without a new event.
    ///
    /// - Parameters:
    ///   - arrivals: stored events that are to be decided again, as if they had just come.
    @discardableResult
    public func refresh(
        users: Set<UUID>, relations: Relations = Relations(), arrivals: [UUID] = []
    ) async throws -> FoldedAccounts {
        var loaded = try await locked(users, relations)
        try await transaction.lockAccounts(&loaded)
        let folded = try loaded.fold(arrivals)
        try await transaction.save(folded)
        return folded
    }

    /// Decides stored events again, as if they had just come (R1).
    @discardableResult
    public func retry(_ events: [UUID]) async throws -> FoldedAccounts {
        try await refresh(users: [], relations: try await transaction.relations(ofEvents: events), arrivals: events)
    }

    /// Charges or adjusts units (R15). A task that was charged before is not charged again: its entry is returned.
    ///
    /// - Parameter operator: who adjusts; a task's charge names nobody.
    /// - Throws: `UnitRefusal`; `StoreError.notFound` if there is no such account.
    public func grant(_ request: UnitRequest, by operator: Operator? = nil) async throws -> LedgerEntry {
        var loaded = try await locked([request.userID])
        try await transaction.lockAccounts(&loaded, task: request.taskID)
        let folded = try loaded.fold([], request)
        guard let entry = folded.granted else { throw StoreError.notFound("account \(request.userID)") }
        try await transaction.save(folded)
        if case .adjust(let reason) = request.kind {
            try await transaction.insert(
                OperatorAction(
                    userID: request.userID,
                    kind: .adjust(units: request.units, line: entry.line, begin: entry.begin), reason: reason,
                    by: `operator`))
        }
        return entry
    }

    // MARK: Loading

    /// What concerns accounts, locked before anything is read of it.
    private func locked(_ users: Set<UUID>, _ relations: Relations = Relations()) async throws -> LoadedAccounts {
        let scope = try await scope(of: users).union(relations)
        let (related, inForce) = try await related(to: scope, events: [])
        var loaded = LoadedAccounts(related, inForce)
        loaded.asked = users
        return loaded
    }

    /// What these accounts' events are about.
    func scope(of users: Set<UUID>) async throws -> Relations {
        try await transaction.relations(of: users, matchByEmail: policy.matchByEmail)
    }

    /// Locks and loads until nothing that was found leads further.
    ///
    /// An event may name no customer, though others of its subscription do: then that customer's other subscriptions
    /// belong to the scope as well, since they may say whose it is (R5).
    private func related(
        to relations: Relations, events: [InboxEvent]
    ) async throws -> (RelatedEvents, PolicyInForce) {
        var scope = relations
        while true {
            let related = try await transaction.lockRelated(scope, digests: events.map(\.digest))
            let inForce = PolicyInForce(own: policy, stored: related.stored)
            let judged = events.map { $0.judged(by: inForce.policy.acceptance) }
            var wider = scope.union(Relations(of: judged.filter(\.concernsAccounts)))
            wider.customers.formUnion(related.events.compactMap(\.event.customerID))
            if wider == scope { return (related, inForce) }
            scope = wider
        }
    }
}

extension LoadedAccounts {
    fileprivate init(_ related: RelatedEvents, _ inForce: PolicyInForce) {
        self.init(
            now: related.now, inForce: inForce, catalog: related.catalog, related: related.events,
            attributions: related.attributions)
    }

    /// Adds events that the database does not hold, or holds as something else.
    fileprivate mutating func add(_ events: [StoredEvent]) {
        let added = Set(events.map(\.id))
        related = related.filter { !added.contains($0.id) } + events
    }
}
