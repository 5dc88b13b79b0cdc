import Billing
import Foundation
import LemonSqueezy
import Payloads
import Selextract

/// What a database holds, in memory, so that the whole fold runs without one: it loads what a fold decides by, and saves
/// what that led to, as a store does. It decides nothing.
struct MemoryStore {
    /// A row of the inbox.
    struct Row: Hashable {
        var id: UUID
        var event: InboxEvent
        var decision: EventDecision
        var deliveries: Int
        var attempts: Int
        var nextAttemptAt: Date?
    }

    struct Entry: Hashable {
        var at: Date
        var entry: LedgerEntry
    }

    var now: Date
    var catalog = Case.plans
    /// The program's, as long as none are stored.
    var policy = BillingPolicy()
    var settings: StoredSettings?
    /// In order of arrival.
    private(set) var inbox: [Row] = []
    var accounts: [UUID: AccountRow] = [:]
    var subscriptions: [String: SubscriptionRow] = [:]
    private(set) var buckets: [BucketRow.Key: BucketRow] = [:]
    private(set) var charges: [BucketRow.Key: Charge] = [:]
    private(set) var ledger: [Entry] = []
    /// The newest first.
    var actions: [OperatorAction] = []
    /// In order of time.
    var grants: [GrantAction] = []
    private var ids: UInt64 = 0

    init(at now: Date) { self.now = now }

    var inForce: PolicyInForce { PolicyInForce(own: policy, stored: settings) }

    /// Numbers, so that a run is the same each time.
    private mutating func newID() -> UUID {
        ids += 1
        let text = "00000000-0000-4000-8000-" + String(1_000_000_000_000 + ids).suffix(12)
        return UUID(uuidString: text).unsafelyUnwrapped
    }

    mutating func createAccount(_ id: UUID = Case.user, email: String = "ada@example.com", units: Int = 100) {
        accounts[id] = AccountRow(
            userID: id, email: email, createdAt: now, tier: "free", unitsRemaining: units,
            resetDate: now.adding(months: 1), dueAt: now, lastEntry: nil)
    }

    // MARK: What is done

    /// What the listener does with a batch of deliveries.
    @discardableResult
    mutating func receive(_ events: [InboxEvent]) throws -> [EventDecision] {
        let judged = events.map { $0.judged(by: inForce.policy.acceptance) }
        var (loaded, known) = related(to: Relations(of: judged.filter(\.concernsAccounts)), events: judged)
        let batch = DeliveryBatch(judged, known: known) { newID() }
        loaded.related += batch.unstored
        lockAccounts(&loaded)
        let folded = try batch.arrivals.isEmpty ? FoldedAccounts(at: now) : loaded.fold(batch.arrivals)
        save(batch, folded)
        return batch.decisions(folded.decisions)
    }

    @discardableResult
    mutating func receive(_ bodies: [[UInt8]]) throws -> [EventDecision] {
        try receive(bodies.map(InboxEvent.init(body:)))
    }

    /// Stores an event that could not be folded.
    @discardableResult
    mutating func setAside(_ event: InboxEvent) -> EventDecision? {
        var event = event
        (event.outcome, event.reason) = (.failed, "bug")
        let batch = DeliveryBatch([event], known: known([event])) { newID() }
        save(batch, FoldedAccounts(at: now))
        return batch.decisions([:]).first
    }

    @discardableResult
    mutating func refresh(
        _ users: Set<UUID> = [Case.user], relations: Relations = Relations(), arrivals: [UUID] = []
    ) throws -> FoldedAccounts {
        let folded = try loaded(users, relations).fold(arrivals)
        save(folded)
        return folded
    }

    /// - Returns: nil if there is no such account.
    @discardableResult
    mutating func grant(_ request: UnitRequest) throws -> LedgerEntry? {
        let folded = try loaded([request.userID], task: request.taskID).fold([], request)
        save(folded)
        return folded.granted
    }

    /// Makes a subscription an account's by an operator's word.
    mutating func bind(_ subscription: String, to user: UUID) throws {
        actions.insert(OperatorAction(userID: user, kind: .bind(subscription: subscription), reason: nil), at: 0)
        try refresh([user], relations: Relations(subscriptions: [subscription]))
    }

    // MARK: Saving

    private mutating func save(_ batch: DeliveryBatch, _ folded: FoldedAccounts) {
        let now = now
        for (id, event) in batch.accepted {
            update(id) { row in
                row.event = event
                if row.decision.outcome == .quarantined {
                    (row.decision.outcome, row.decision.reason) = (event.outcome, event.reason)
                }
            }
        }
        for new in batch.new {
            let decision =
                folded.decisions[new.id]
                ?? EventDecision(eventID: new.id, outcome: new.event.outcome, reason: new.event.reason)
            let failed = decision.outcome == .failed
            inbox.append(
                Row(
                    id: new.id, event: new.event, decision: decision, deliveries: new.deliveries,
                    attempts: failed ? 1 : 0,
                    nextAttemptAt: failed ? now.addingTimeInterval(RetryDelay.after(failures: 0)) : nil))
        }
        for again in batch.repeated {
            update(again.id) { row in
                row.deliveries += again.deliveries
                guard let failures = again.failures else { return }
                row.attempts += 1
                row.nextAttemptAt = now.addingTimeInterval(RetryDelay.after(failures: failures))
            }
        }
        save(folded)
    }

    private mutating func save(_ folded: FoldedAccounts) {
        actions = folded.matches + actions
        for row in folded.changes.accounts { accounts[row.userID] = row }
        for name in folded.changes.removedSubscriptions { subscriptions[name] = nil }
        for row in folded.changes.subscriptions { subscriptions[row.state.id] = row }
        for key in folded.changes.removedBuckets { buckets[key] = nil }
        for row in folded.changes.buckets { buckets[row.key] = row }
        for row in folded.changes.charges {
            let key = BucketRow.Key(userID: row.userID, line: row.charge.line, begin: row.charge.begin)
            guard var charge = charges[key] else {
                charges[key] = row.charge
                continue
            }
            charge.consumed += row.charge.consumed
            charge.adjusted += row.charge.adjusted
            charge.firstAt = min(charge.firstAt, row.charge.firstAt)
            charges[key] = charge
        }
        ledger += folded.changes.entries.map { Entry(at: folded.changes.at, entry: $0) }
        for decision in folded.decisions.values {
            update(decision.eventID) { row in
                row.decision = decision
                if decision.outcome != .failed { row.nextAttemptAt = nil }
            }
        }
    }

    private mutating func update(_ id: UUID, _ change: (inout Row) -> Void) {
        guard let place = inbox.firstIndex(where: { $0.id == id }) else { return }
        change(&inbox[place])
    }
}

extension InboxEvent {
    init(body: [UInt8]) {
        // A row of another program is told by its name: it is never delivered.
        let isAdopted = (try? WebhookEvent(body: body))?.name == .subscriptionAdopted
        self.init(
            isAdopted
                ? Delivery(body: body, source: .adopted)
                : Delivery(body: body, signature: "", matchedSecret: .current))
    }
}
