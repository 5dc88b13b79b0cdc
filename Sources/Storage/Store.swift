import Foundation
public import SchemaValidation

/// A database that holds the seven tables and the inbox: PostgreSQL or SQLite, with the same behaviour.
///
/// It loads and saves, and decides nothing: what a delivery, the clock or an operator leads to is told by `Billing`.
public struct Store: Sendable {
    let driver: any DatabaseDriver
    /// The catalogue and lists as they may be shown, from the replica if there is one.
    public let lists: Lists
    /// The same from the primary: what is committed there.
    public let primary: Lists
    private let replica: (any DatabaseDriver)?

    init(_ driver: any DatabaseDriver, replica: (any DatabaseDriver)? = nil) {
        self.driver = driver
        self.replica = replica
        primary = Lists(driver)
        lists = replica.map(Lists.init) ?? primary
    }

    /// Lends a transaction; commits when `body` returns, rolls back when it throws.
    ///
    /// `body` is run again after a serialization failure or a deadlock, so it must have no other effects.
    ///
    /// - Throws: what `body` throws; ``StoreError``.
    public func transaction<Result: Sendable>(
        _ body: @Sendable (StoreTransaction) async throws -> Result
    ) async throws -> Result {
        try await driver.transaction { session in
            try await body(StoreTransaction(session: session, clock: driver.clock))
        }
    }

    /// Brings the schema up to date, one process at a time.
    ///
    /// - Returns: the migrations that were applied now.
    @discardableResult
    public func migrate() async throws -> [AppliedMigration] { try await driver.migrate() }

    /// All migrations the program or the database knows.
    public func migrations() async throws -> [MigrationStatus] { try await driver.migrations() }

    /// Those that `migrate` would apply, in order.
    ///
    /// - Throws: `StoreError.schema` if it would refuse.
    public func pendingMigrations() async throws -> [MigrationStatus] { try await driver.pendingMigrations() }

    /// Compares the database with what this program expects of it; changes nothing.
    public func validateSchema() async throws -> SchemaReport { try await driver.validateSchema() }

    /// - Throws: ``StoreError`` if the database does not answer, or its schema is not the program's.
    public func check() async throws {
        guard try await pendingMigrations().isEmpty else {
            throw StoreError.schema("the schema is not up to date: run `migrate`")
        }
    }

    /// Asks the database whether it is there and the schema is the program's.
    ///
    /// - Throws: as `check`.
    public func health() async throws -> DatabaseHealth {
        let start = ContinuousClock.now
        try await check()
        return DatabaseHealth(latency: .now - start, pool: pool)
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
        await replica?.close()
        await driver.close()
    }
}

/// What differs between the two databases as a whole.
protocol DatabaseDriver: Sendable {
    /// Takes the place of the database's clock in tests.
    var clock: (@Sendable () -> Date)? { get }
    func transaction<Result: Sendable>(
        _ body: @Sendable (any Session) async throws -> Result
    ) async throws -> Result
    /// Runs statements that read, outside of a transaction, and gives the rows of each.
    func read(_ statements: [SQL]) async throws -> [[any StoredRow]]

    func migrate() async throws -> [AppliedMigration]
    func migrations() async throws -> [MigrationStatus]
    func pendingMigrations() async throws -> [MigrationStatus]
    func validateSchema() async throws -> SchemaReport
    func statistics() async throws -> DatabaseStatistics
    func vacuum() async throws -> (before: Int, after: Int)
    func drop() async throws
    var pool: DatabaseHealth.Pool? { get }
    func close() async
}

/// A transaction that is under way on one of the two databases.
protocol Session: Sendable {
    /// Runs statements one after the other, and gives the rows of each.
    ///
    /// - Throws: ``ConstraintViolation`` and the database's own errors, which the store turns into its own.
    func run(_ statements: [SQL]) async throws -> [[any StoredRow]]
}

/// What a statement would have broken. The transaction cannot go on.
struct ConstraintViolation: Error {
    enum Kind: Sendable {
        case unique, check, foreignKey
    }

    var kind: Kind
    /// As the database names the constraint, or the column.
    var name: String
    /// Without values.
    var description: String
}

extension Array where Element == [any StoredRow] {
    /// The rows of each statement, read as its query says.
    func read<each Result>(_ query: repeat Query<each Result>) throws -> (repeat [each Result]) {
        var index = -1
        func next<Next>(_ query: Query<Next>) throws -> [Next] {
            index += 1
            return try self[index].map { try query.read($0) }
        }
        return (repeat try next(each query))
    }
}

extension DatabaseDriver {
    /// What is committed.
    func fetch<Result>(_ query: Query<Result>) async throws -> [Result] {
        try await read([query.sql])[0].map { try query.read($0) }
    }

    /// What is committed.
    func fetch<each Result>(_ query: repeat Query<each Result>) async throws -> (repeat [each Result]) {
        var statements: [SQL] = []
        for query in repeat each query { statements.append(query.sql) }
        return try await read(statements).read(repeat each query)
    }
}
