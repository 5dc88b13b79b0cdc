public import Billing
public import Foundation

/// What a fold asks of a database, inside one transaction. A store loads and saves; it decides nothing.
///
/// Each call is one statement or a few, whatever the number of accounts.
public protocol StoreTransaction: WorkTransaction {
    /// The database's clock, UTC. Read after the locks are held, so that it never runs backwards for an account.
    func now() async throws -> Date

    /// Waits until no other transaction works on these customers and subscriptions. Always before anything is read of them;
    /// the locks are taken in one order, and end with the transaction.
    func lock(customers: Set<String>, subscriptions: Set<String>) async throws

    // MARK: Inbox

    /// Stores events, or counts a further delivery of those that are stored; in the order given.
    func insert(_ events: [InboxEvent]) async throws -> [Insertion]
    /// The subscriptions and customers that these accounts' events and rows, and claims on these accounts, are about.
    func relations(of users: Set<UUID>, matchByEmail: Bool) async throws -> Relations
    /// All events the rules read of these subscriptions, of all subscriptions of these customers, and of these accounts;
    /// in order of arrival.
    func events(customers: Set<String>, subscriptions: Set<String>, users: Set<UUID>) async throws -> [StoredEvent]
    func save(_ verdicts: [Verdict]) async throws
    /// Events that are to be decided again: by id, or failed ones whose time has come.
    func retryable(_ ids: [UUID]?, at now: Date, limit: Int) async throws -> [UUID]
    /// The subscriptions that events are about.
    func subscriptions(of events: [UUID]) async throws -> Set<String>
    /// Puts off failed events that failed again, each time for twice as long, up to an hour.
    func postpone(_ events: [UUID], at now: Date) async throws

    // MARK: Accounts

    /// The newest operator's binding of each subscription (R5).
    func bindings(of subscriptions: Set<String>) async throws -> [String: UUID]
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
    /// Accounts whose moment has come (R17), the longest due first. Nothing is locked: the fold does, in its order.
    func dueAccounts(at now: Date, limit: Int, except: [UUID]) async throws -> [UUID]
    /// The next accounts in order of their ids.
    func accounts(after id: UUID?, limit: Int) async throws -> [UUID]
    /// The next subscriptions of which an event is parked, in order of their ids.
    func parkedSubscriptions(after id: String?, limit: Int) async throws -> [String]
    /// The next stored deliveries in order of arrival, each beside what was decoded of it.
    func inbox(after arrival: Int, limit: Int) async throws -> [InboxRow]
    /// Replaces what was decoded of events.
    func redecode(_ events: [UUID: InboxEvent]) async throws
}

/// A stored delivery, beside what was decoded of it.
public struct InboxRow: Sendable {
    public var id: UUID
    /// The place in the order of arrival; greater is later, with gaps.
    public var arrival: Int
    public var delivery: Delivery
    /// What the rules read of it; nil: nothing, or it is quarantined.
    public var event: BillingEvent?
    public var isQuarantined: Bool

    public init(id: UUID, arrival: Int, delivery: Delivery, event: BillingEvent?, isQuarantined: Bool) {
        self.id = id
        self.arrival = arrival
        self.delivery = delivery
        self.event = event
        self.isQuarantined = isQuarantined
    }
}

/// What events say about each other.
public struct Relations: Sendable, Hashable {
    public var customers: Set<String>
    public var subscriptions: Set<String>

    public init(customers: Set<String> = [], subscriptions: Set<String> = []) {
        self.customers = customers
        self.subscriptions = subscriptions
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
    public var removedSubscriptions: Set<String> = []
    public var buckets: [BucketRow] = []
    public var removedBuckets: [BucketRow.Key] = []
    /// What is to be added to what was charged before.
    public var charges: [ChargeRow] = []
    /// In order.
    public var entries: [LedgerEntry] = []

    public init() {}

    public var isEmpty: Bool {
        accounts.isEmpty && subscriptions.isEmpty && removedSubscriptions.isEmpty && buckets.isEmpty
            && removedBuckets.isEmpty && charges.isEmpty && entries.isEmpty
    }
}

/// What an operator did (R5, R15): stored, so that a rebuild knows it.
public struct OperatorAction: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// The subscription is this account's, whatever its events claim.
        case bind(subscription: String)
        /// Units given (positive) or taken, on the bucket that was current.
        case adjust(units: Int, line: Line, begin: Date)
    }

    public var userID: UUID
    public var kind: Kind
    public var reason: String?

    public init(userID: UUID, kind: Kind, reason: String?) {
        self.userID = userID
        self.kind = kind
        self.reason = reason
    }
}
