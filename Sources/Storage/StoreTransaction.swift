public import Billing
public import Foundation

/// What a fold asks of a database, inside one transaction. A store loads and saves; it decides nothing.
///
/// Each call is one statement or a few, whatever the number of accounts.
public protocol StoreTransaction: WorkTransaction {
    /// The database's clock, UTC. Read after the locks are held, so that it never runs backwards for an account.
    func now() async throws -> Date

    /// The newest settings that decide; nil: none are stored yet.
    ///
    /// - Parameter locked: waits until no other transaction changes them.
    func settings(locked: Bool) async throws -> StoredSettings?
    func insert(_ settings: StoredSettings) async throws

    /// Waits until no other transaction works on these customers, subscriptions and orders. Always before anything is read of them;
    /// the locks are taken in one order, and end with the transaction.
    func lock(_ relations: Relations) async throws

    // MARK: Inbox

    /// Stores events, or counts a further delivery of those that are stored; in the order given.
    func insert(_ events: [InboxEvent]) async throws -> [Insertion]
    /// The subscriptions and customers that these accounts' events and rows, and claims on these accounts, are about.
    func relations(of users: Set<UUID>, matchByEmail: Bool) async throws -> Relations
    /// All events the rules read of these subscriptions, of all subscriptions of these customers, and of these accounts,
    /// with the orders that belong to them; in order of arrival.
    func events(_ relations: Relations, users: Set<UUID>) async throws -> [StoredEvent]
    func save(_ verdicts: [Verdict]) async throws
    /// Events that are to be decided again: by id, or failed ones whose time has come.
    func retryable(_ ids: [UUID]?, at now: Date, limit: Int) async throws -> [UUID]
    /// What these events are about.
    func relations(ofEvents ids: [UUID]) async throws -> Relations
    /// The subscriptions that were bought with these orders (R18).
    func subscriptions(ofOrders orders: Set<String>) async throws -> Set<String>
    /// Puts off failed events that failed again, each time for twice as long, up to an hour.
    func postpone(_ events: [UUID], at now: Date) async throws

    // MARK: Accounts

    func attributions(of subscriptions: Set<String>) async throws -> Attributions
    /// The plans that operators gave these accounts, also those that have ended (R19).
    func grants(of users: Set<UUID>) async throws -> [UUID: [GrantedPlan]]
    /// When units of these lines were used, by tasks and by other programs (R18).
    func usage(lines: Set<Line>) async throws -> [Usage]
    /// Which of these exist.
    func knownAccounts(ids: Set<UUID>, emails: Set<String>) async throws -> KnownAccounts
    func catalog() async throws -> PlanCatalog
    /// Locks the rows, in order of their ids.
    func lockAccounts(_ ids: Set<UUID>) async throws -> [AccountRow]
    func charges(users: Set<UUID>, lines: Set<Line>) async throws -> [ChargeRow]
    func subscriptions(users: Set<UUID>, ids: Set<String>, catalog: PlanCatalog) async throws -> [SubscriptionRow]
    func buckets(users: Set<UUID>) async throws -> [BucketRow]
    func save(_ changes: AccountChanges) async throws
    /// The ledger's entry for a task; nil if it was not charged yet (R15).
    func entry(task: UUID) async throws -> LedgerEntry?
    /// Parked events whose variant is mapped now, or whose claimed account exists now: their subscriptions.
    func releasable(limit: Int, matchByEmail: Bool, except: Set<String>) async throws -> Set<String>
    func insert(_ action: OperatorAction) async throws

    // MARK: Clock and rebuild

    /// Whether this transaction is now the only one, in any process, that runs the clock (R17). Does not wait.
    func holdsClock() async throws -> Bool
    /// Accounts whose moment has come (R17), that were computed with earlier settings than `revision`, or for a moment later
    /// than now. Nothing is locked: the fold does, in its order.
    func dueAccounts(at now: Date, revision: Int, limit: Int, except: [UUID]) async throws -> [UUID]
    /// The next accounts in order of their ids.
    func accounts(after id: UUID?, limit: Int) async throws -> [UUID]
    /// The next subscriptions of which an event is parked, in order of their ids.
    func parkedSubscriptions(after id: String?, limit: Int) async throws -> [String]
    /// The next stored deliveries in order of arrival, each beside what was decoded of it.
    func inbox(after arrival: Int, limit: Int) async throws -> [InboxRow]
    /// Stored deliveries by their ids, in order of arrival.
    func inbox(ids: [UUID]) async throws -> [InboxRow]
    /// Events whose columns an older version of the program has read from the bytes.
    func outdated(limit: Int, except: [UUID]) async throws -> [UUID]
    /// Quarantined events that these settings accept (R4).
    func acceptable(_ acceptance: Acceptance, limit: Int, except: [UUID]) async throws -> [UUID]
    /// Replaces what was decoded of events. The outcome stays, unless they turn out to be of another kind or were put aside:
    /// then it is that of the new ones.
    func redecode(_ events: [UUID: InboxEvent]) async throws
    /// Marks events as read by this version.
    func markDecoded(_ ids: [UUID]) async throws

    // MARK: Erasure

    /// Removes what is personal from the events that counted for an account, or claim it: bodies, names, e-mails. Hashes,
    /// ids, facts and times stay (R20).
    ///
    /// - Returns: how many.
    func eraseEvents(of user: UUID, at now: Date) async throws -> Int
}

/// A stored delivery, beside what was decoded of it.
public struct InboxRow: Sendable {
    public var id: UUID
    /// The place in the order of arrival; greater is later, with gaps.
    public var arrival: Int
    public var delivery: Delivery
    /// What the rules read of it; nil: nothing, or it is quarantined.
    public var event: BillingEvent?
    public var kind: InboxEvent.Kind
    public var outcome: Outcome
    /// Its bytes are gone (R20): what was decoded of it is all there is.
    public var isErased: Bool

    public init(
        id: UUID, arrival: Int, delivery: Delivery, event: BillingEvent?, kind: InboxEvent.Kind, outcome: Outcome,
        isErased: Bool
    ) {
        self.id = id
        self.arrival = arrival
        self.delivery = delivery
        self.event = event
        self.kind = kind
        self.outcome = outcome
        self.isErased = isErased
    }
}

/// What events say about each other.
public struct Relations: Sendable, Hashable {
    public var customers: Set<String>
    public var subscriptions: Set<String>
    public var orders: Set<String>

    public init(customers: Set<String> = [], subscriptions: Set<String> = [], orders: Set<String> = []) {
        self.customers = customers
        self.subscriptions = subscriptions
        self.orders = orders
    }
}

/// What has become of an event.
public struct Verdict: Sendable, Hashable {
    public var eventID: UUID
    public var outcome: Outcome
    public var reason: String?
    public var userID: UUID?

    public init(eventID: UUID, outcome: Outcome, reason: String?, userID: UUID?) {
        self.eventID = eventID
        self.outcome = outcome
        self.reason = reason
        self.userID = userID
    }
}

/// Everything a fold writes about accounts; only what differs.
public struct AccountChanges: Sendable {
    public var accounts: [AccountRow] = []
    public var subscriptions: [SubscriptionRow] = []
    /// By ``Billing/SubscriptionState/id``.
    public var removedSubscriptions: Set<String> = []
    public var buckets: [BucketRow] = []
    public var removedBuckets: [BucketRow.Key] = []
    /// What is to be added to what was charged before.
    public var charges: [ChargeRow] = []
    /// In order.
    public var entries: [LedgerEntry] = []
    /// The moment that the fold looked at: the entries' time, so that a refund finds what was used by then whenever it
    /// comes (R18).
    public var at: Date

    public init(at: Date) {
        self.at = at
    }

    public var isEmpty: Bool {
        accounts.isEmpty && subscriptions.isEmpty && removedSubscriptions.isEmpty && buckets.isEmpty
            && removedBuckets.isEmpty && charges.isEmpty && entries.isEmpty
    }
}
