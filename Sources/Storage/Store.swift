public import Databases
import Foundation
public import SchemaValidation

/// A database that holds the seven tables and the inbox: PostgreSQL or SQLite, with the same behaviour.
///
/// It loads and saves, and decides nothing: what a delivery, the clock or an operator leads to is told by `Billing`.
public struct Store: Sendable {
    /// Lends transactions, and does what concerns the schema.
    let driver: any SchemaDriver
    /// Connections that are kept apart for reads outside of transactions.
    private let ownReads: (any DatabaseDriver)?
    /// Reads outside of transactions.
    var reads: any DatabaseDriver { ownReads ?? driver }
    let plan: MigrationPlan
    /// The catalogue and lists as they may be shown, from the replica if there is one.
    public let lists: Lists
    /// The same from the primary: what is committed there.
    public let primary: Lists
    private let replica: (any DatabaseDriver)?
    /// Where usage is kept; nil: with everything else.
    public let usageDatabase: UsageDatabase?
    private let catalogs = KnownCatalog()

    /// - Parameter plan: the migrations that lead to the schema; nil: the program's own.
    init(
        _ driver: any SchemaDriver, reads: (any DatabaseDriver)? = nil, plan: MigrationPlan? = nil,
        replica: (any DatabaseDriver)? = nil, usageDatabase: UsageDatabase? = nil
    ) {
        self.driver = driver
        ownReads = reads
        self.plan = plan ?? type(of: driver).plan
        self.replica = replica
        self.usageDatabase = usageDatabase
        primary = Lists(reads ?? driver, usageDatabase: usageDatabase)
        lists = replica.map { Lists($0, usageDatabase: usageDatabase) } ?? primary
    }

    /// Lends a transaction; commits when `body` returns, rolls back when it throws.
    ///
    /// `body` is run again after a serialization failure or a deadlock, so it must have no other effects.
    ///
    /// - Throws: what `body` throws; ``StoreError``.
    public func transaction<Result: Sendable>(
        _ limits: TransactionLimits = .patient, _ body: @Sendable (StoreTransaction) async throws -> Result
    ) async throws -> Result {
        try await driver.transaction(limits) { session in
            try await body(StoreTransaction(session: session, clock: driver.clock, catalogs: catalogs))
        }
    }

    /// Brings the schema up to date, one process at a time.
    ///
    /// - Returns: the migrations that were applied now.
    @discardableResult
    public func migrate() async throws -> [AppliedMigration] {
        var done: [AppliedMigration] = []
        while let applied = try await driver.migrateOnce(plan) { done.append(applied) }
        return done
    }

    /// All migrations the program or the database knows.
    public func migrations() async throws -> [MigrationStatus] { plan.status(try await driver.applied()) }

    /// Those that `migrate` would apply, in order.
    ///
    /// - Throws: `StoreError.schema` if it would refuse.
    public func pendingMigrations() async throws -> [MigrationStatus] {
        MigrationStatus.pending(try plan.pending(try await driver.applied()))
    }

    /// Compares the database with what this program expects of it; changes nothing.
    public func validateSchema() async throws -> SchemaReport { try await driver.validateSchema(plan) }

    /// - Throws: ``StoreError`` if the database does not answer, or its schema is not the program's.
    public func check() async throws { try requireAll(try await driver.applied()) }

    func requireAll(_ applied: [MigrationPlan.Applied]) throws {
        guard try plan.pending(applied).isEmpty else {
            throw StoreError.schema("the schema is not up to date: run `migrate`")
        }
    }

    /// The connections to the server at this moment; nil: there are none, as on SQLite.
    public var pool: DatabaseHealth.Pool? { driver.pool }

    /// Counts the rows of all tables, all at one moment.
    public func statistics() async throws -> DatabaseStatistics { try await driver.statistics() }

    /// Gives free what deleted and changed rows have left, and renews what the planner knows of the data. Others can
    /// work meanwhile on PostgreSQL; on SQLite they wait.
    ///
    /// - Returns: the size of the database before and after, in bytes.
    @discardableResult
    public func vacuum() async throws -> (before: Int, after: Int) { try await driver.vacuum() }

    /// Drops all tables of this program with all that is in them, and creates them anew. For development.
    ///
    /// - Throws: `StoreError.conflict` if an event of live mode is stored, or something of another program depends on
    ///   one of the tables; nothing was dropped then.
    public func reset() async throws {
        try await driver.drop()
        try await migrate()
    }

    /// Waits for what is under way, also at the replica. Afterwards the store is of no use.
    public func close() async {
        await usageDatabase?.close()
        await replica?.close()
        await ownReads?.close()
        await driver.close()
    }
}

/// A database with the schema of this program, and what the two have to say about it in words of their own.
protocol SchemaDriver: DatabaseDriver {
    /// The program's own migrations.
    static var plan: MigrationPlan { get }
    /// Applies the next migration of a plan that is missing, if there is one; else records those that the SQL files
    /// themselves have made.
    func migrateOnce(_ plan: MigrationPlan) async throws -> AppliedMigration?
    /// What the database says has been applied.
    func applied() async throws -> [MigrationPlan.Applied]
    func validateSchema(_ plan: MigrationPlan) async throws -> SchemaReport
    func statistics() async throws -> DatabaseStatistics
    func vacuum() async throws -> (before: Int, after: Int)
    func drop() async throws
    /// Writes to the disk, and changes nothing, where only that shows whether it takes what is written.
    func tryDisk() async throws
}
