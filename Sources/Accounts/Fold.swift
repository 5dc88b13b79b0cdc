public import Billing
import Databases
public import Foundation
public import Storage

/// Brings accounts up to date inside a transaction: load all that concerns them, fold, save what differs.
///
/// Decides by the settings that the database holds; the program's own count only where it holds none.
public struct Fold: Sendable {
    let transaction: StoreTransaction
    private let policy: BillingPolicy
    /// The subscriptions that are read whole, whatever their checkpoints.
    private let whole: WholeHistories
    /// Whether what another transaction holds is waited for; if not, what hangs together with it is left out.
    private let waits: Bool

    public init(_ transaction: StoreTransaction, policy: BillingPolicy) {
        self.init(transaction, policy: policy, whole: .only([]))
    }

    init(
        _ transaction: StoreTransaction, policy: BillingPolicy, whole: WholeHistories = .only([]), waits: Bool = true
    ) {
        self.transaction = transaction
        self.policy = policy
        self.whole = whole
        self.waits = waits
    }

    func inForce() async throws -> PolicyInForce {
        PolicyInForce(own: policy, stored: try await transaction.settings())
    }

    /// Stores a batch of events and folds them into their accounts. What another transaction holds is waited for.
    ///
    /// - Returns: one decision an event, in the order given.
    public func receive(_ events: [InboxEvent]) async throws -> [EventDecision] {
        switch try await attempt(events) {
        case .done(let decisions): return decisions
        case .held: throw StoreError.busy("an account")
        }
    }

    /// The same, but waits for nothing that another transaction holds: events that hang together with it are left out, and
    /// nothing of them is stored.
    ///
    /// - Returns: one decision an event, in the order given; nil for those that were left out.
    public func receiveUnlessHeld(_ events: [InboxEvent]) async throws -> [EventDecision?] {
        let fold = Fold(transaction, policy: policy, whole: whole, waits: false)
        var decisions = [EventDecision?](repeating: nil, count: events.count)
        var places = Array(events.indices)
        while !places.isEmpty {
            switch try await fold.attempt(places.map { events[$0] }) {
            case .done(let made):
                for (place, decision) in zip(places, made) { decisions[place] = decision }
                return decisions
            case .held(let held):
                let free = places.filter { !held.concerns(events[$0]) }
                guard free.count < places.count else { throw StoreError.busy("an account") }
                places = free
            }
        }
        return decisions
    }

    private enum Attempt<Value> {
        case done(Value)
        /// Nothing was saved: this is held by another transaction, with all that hangs together with it.
        case held(HeldElsewhere)
    }

    private func attempt(_ events: [InboxEvent]) async throws -> Attempt<[EventDecision]> {
        // Judged by this process's settings, to know what to lock: the database's are not loaded yet. If those differ,
        // `related` widens the scope.
        let probable = events.map { $0.judged(by: policy.acceptance) }
        let scope = Relations(of: probable.filter(\.concernsAccounts))
        var batch = DeliveryBatch([], known: []) { UUID() }
        let attempt = try await fold(scope, events: events) { judged, related in
            batch = DeliveryBatch(judged, known: related.known) { UUID() }
            return batch.arrivals.isEmpty ? nil : Arriving(events: batch.arrivals, unstored: batch.unstored)
        }
        switch attempt {
        case .held(let held): return .held(held)
        case .done(let folded):
            try await transaction.save(batch, folded)
            return .done(batch.decisions(folded.decisions))
        }
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
        var (users, relations, arrivals) = (users, relations, arrivals)
        while true {
            let scope = try await scope(of: users).union(relations)
            switch try await fold(scope, users: users, arriving: { _, _ in Arriving(events: arrivals) }) {
            case .done(let folded):
                try await transaction.save(folded)
                return folded
            case .held(let held):
                let before = (users, relations, arrivals)
                users.subtract(held.accounts)
                relations.subtract(held)
                arrivals.removeAll(where: held.events.contains)
                guard (users, relations, arrivals) != before else { throw StoreError.busy("an account") }
            }
        }
    }

    /// Decides stored events again, as if they had just come (R1). They may be ones that a checkpoint stands for.
    @discardableResult
    public func retry(_ events: [UUID]) async throws -> FoldedAccounts {
        try await Fold(transaction, policy: policy, whole: .all, waits: waits).refresh(
            users: [], relations: try await transaction.relations(ofEvents: events), arrivals: events)
    }

    /// Charges or adjusts units (R15). A task that was charged before is not charged again: its entry is returned.
    ///
    /// - Parameter operator: who adjusts; a task's charge names nobody.
    /// - Throws: `UnitRefusal`; `StoreError.notFound` if there is no such account.
    public func grant(_ request: UnitRequest, by operator: Operator? = nil) async throws -> LedgerEntry {
        let scope = try await scope(of: [request.userID])
        let attempt = try await fold(scope, users: [request.userID], request: request) { _, _ in Arriving() }
        guard case .done(let folded) = attempt else { throw StoreError.busy("account \(request.userID)") }
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

    private struct Arriving {
        /// To be decided, in order.
        var events: [UUID] = []
        /// Those that the database does not hold yet, or holds as something else.
        var unstored: [StoredEvent] = []
    }

    /// Loads what concerns accounts, locked before anything is read of it, and folds it. Histories are read beside their
    /// checkpoints first; where one does not hold, or a newer one is worth making, the whole history is.
    ///
    /// - Parameter arriving: told of the events as the settings in force judge them; nil: no account is concerned.
    private func fold(
        _ scope: Relations, users: Set<UUID> = [], events: [InboxEvent] = [], request: UnitRequest? = nil,
        arriving: ([InboxEvent], RelatedEvents) -> Arriving?
    ) async throws -> Attempt<FoldedAccounts> {
        var whole = whole
        while true {
            let (related, inForce, judged) = try await related(to: scope, events: events, whole)
            var loaded = LoadedAccounts(related, inForce)
            guard related.held.isEmpty else { return .held(loaded.connected(to: related.held)) }
            guard let arriving = arriving(judged, related) else { return .done(FoldedAccounts(at: related.now)) }
            loaded.asked = users
            loaded.add(arriving.unstored)
            let held = try await transaction.lockAccounts(&loaded, task: request?.taskID, whole: whole, waits: waits)
            guard held.isEmpty else { return .held(loaded.connected(to: held)) }
            var unread = loaded.outgrownCheckpoints
            if unread.isEmpty {
                let folded = try loaded.fold(arriving.events, request)
                if folded.voidCheckpoints.isEmpty {
                    // Without settings in the database nothing tells by which ones a month was closed.
                    let made = related.stored == nil ? [] : loaded.madeCheckpoints(folded)
                    try await save(made, of: loaded, whole)
                    return .done(folded)
                }
                unread = folded.voidCheckpoints
            }
            whole.formUnion(unread)
        }
    }

    /// Of what was read whole, what gets no checkpoint is to have none.
    private func save(_ made: [Checkpoint], of loaded: LoadedAccounts, _ whole: WholeHistories) async throws {
        let read: Set<String> =
            switch whole {
            case .all: Set((loaded.related + loaded.others).compactMap(\.event.subscriptionID))
            case .only(let some): some
            }
        try await transaction.save(made, removing: read.subtracting(made.map(\.subscriptionID)))
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
        to relations: Relations, events: [InboxEvent], _ whole: WholeHistories
    ) async throws -> (RelatedEvents, PolicyInForce, judged: [InboxEvent]) {
        var scope = relations
        let digests = events.map(\.digest)
        while true {
            let related = try await transaction.lockRelated(scope, digests: digests, whole: whole, waits: waits)
            let inForce = PolicyInForce(own: policy, stored: related.stored)
            let judged = events.map { $0.judged(by: inForce.policy.acceptance) }
            var wider = scope.union(Relations(of: judged.filter(\.concernsAccounts)))
            wider.customers.formUnion(related.events.compactMap(\.event.customerID))
            if wider == scope { return (related, inForce, judged) }
            scope = wider
        }
    }
}

extension Relations {
    fileprivate mutating func subtract(_ held: HeldElsewhere) {
        customers.subtract(held.customers)
        subscriptions.subtract(held.subscriptions)
        orders.subtract(held.orders)
        purchases.subtract(held.orders)
    }
}

extension LoadedAccounts {
    fileprivate init(_ related: RelatedEvents, _ inForce: PolicyInForce) {
        self.init(
            now: related.now, inForce: inForce, catalog: related.catalog, related: related.events,
            attributions: related.attributions)
        catalogVersion = related.catalogVersion
        checkpoints = Dictionary(uniqueKeysWithValues: related.checkpoints.map { ($0.subscriptionID, $0) })
    }

    /// Adds events that the database does not hold, or holds as something else.
    fileprivate mutating func add(_ events: [StoredEvent]) {
        let added = Set(events.map(\.id))
        related = related.filter { !added.contains($0.id) } + events
    }
}
