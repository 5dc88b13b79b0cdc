public import Billing
public import Foundation
public import Selextract

/// A database that holds the seven tables and the inbox: PostgreSQL or SQLite, with the same behaviour.
public protocol Store: ListStore, MaintainedStore, WorkStore {
    /// Where lists are read from: the replica, if there is one.
    var lists: any ListStore { get }

    /// Lends a transaction; commits when `body` returns, rolls back when it throws.
    ///
    /// `body` is run again after a serialization failure or a deadlock, so it must have no other effects.
    ///
    /// - Throws: what `body` throws; ``StoreError``.
    func transaction<Result: Sendable>(
        _ body: @Sendable (any StoreTransaction) async throws -> Result
    ) async throws -> Result

    // MARK: Life cycle

    /// Brings the schema up to date, one process at a time.
    ///
    /// - Returns: the migrations that were applied now.
    @discardableResult
    func migrate() async throws -> [AppliedMigration]
    /// All migrations the program or the database knows.
    func migrations() async throws -> [MigrationStatus]
    /// Those that `migrate` would apply, in order.
    ///
    /// - Throws: `StoreError.schema` if it would refuse.
    func pendingMigrations() async throws -> [MigrationStatus]
    /// Waits for what is under way, also at the replica. Afterwards the store is of no use.
    func close() async

    // MARK: Catalogue

    /// Changes what is given; nil leaves as it is.
    ///
    /// - Throws: `StoreError.notFound` if there is no such plan.
    func updatePlan(_ id: String, _ changes: PlanChanges) async throws -> SubscriptionPlan
    /// Lets a further variant mean a plan. Mapping it again to the same plan changes nothing.
    ///
    /// - Throws: `StoreError.notFound` for the plan; `.conflict` if it means another plan already.
    func mapVariant(_ variant: String, to plan: String) async throws

    // MARK: Accounts

    /// - Throws: `StoreError.conflict` if the e-mail, the Google account or the id is taken, or for what a column cannot
    ///   hold.
    func createUser(_ new: NewUser) async throws -> User
    /// Changes what is given; nil leaves as it is. Who is made inactive can do nothing from now on.
    ///
    /// - Throws: `StoreError.notFound`; as `createUser`.
    func updateUser(_ id: UUID, _ changes: UserChanges) async throws -> User
    func user(id: UUID) async throws -> User?
    /// By the id that Google gives a person who logs in there.
    func user(googleID: String) async throws -> User?
    /// Case-insensitive; more than one is possible.
    func users(email: String) async throws -> [User]
    /// By the provider's id.
    func subscription(_ lemonSqueezyID: String) async throws -> UserSubscription?
    /// What `account_entitlements` says, now.
    func entitlement(user: UUID) async throws -> Entitlement?
    func buckets(user: UUID) async throws -> [Bucket]
    /// Oldest first.
    func ledger(user: UUID) async throws -> [LedgerRecord]

    // MARK: Inbox

    func eventRecord(_ id: UUID) async throws -> EventRecord?
    /// In order of arrival.
    func eventRecords(ids: [UUID]) async throws -> [EventRecord]
    func eventBody(_ id: UUID) async throws -> [UInt8]?
    /// The SHA-256 that events had when they were stored.
    func digests(of ids: [UUID]) async throws -> [UUID: [UInt8]]
    /// What operators did about an account or a subscription, but for adjustments, which the ledger tells; oldest first.
    func operatorRecords(user: UUID?, subscription: String?) async throws -> [OperatorRecord]
}

extension Store {
    /// - Throws: ``StoreError`` if the database does not answer, or its schema is not the program's.
    public func check() async throws {
        guard try await pendingMigrations().isEmpty else {
            throw StoreError.schema("the schema is not up to date: run `migrate`")
        }
    }
}

/// What `plans set` can change.
public struct PlanChanges: Sendable, Hashable {
    public var name: String?
    public var description: String?
    public var monthlyComputeUnits: Int?
    public var maxConcurrentTasks: Int?
    public var priceCents: Int?
    public var lemonSqueezyVariantID: String?
    public var isActive: Bool?

    public init() {}
}

/// A ledger entry as it is stored.
public struct LedgerRecord: Sendable, Hashable {
    public var id: Int
    public var entry: LedgerEntry
    public var createdAt: Date

    public init(id: Int, entry: LedgerEntry, createdAt: Date) {
        self.id = id
        self.entry = entry
        self.createdAt = createdAt
    }
}
