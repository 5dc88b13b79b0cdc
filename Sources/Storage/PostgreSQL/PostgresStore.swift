import Billing
import Foundation
import Postgres
import Schema

/// The store on PostgreSQL, through libpq.
public struct PostgresStore: Store {
    let connections: PostgresPool
    let clock: (@Sendable () -> Date)?
    private let replica: (any Store)?
    /// An instance or a program that hangs must not hold up the others for long.
    private let timeouts: PostgresTimeouts
    /// Which migrations lead to the schema; tests bring others.
    var plan = MigrationPlan(known: Schema.postgreSQL)

    /// Opens no connection yet.
    public init(_ configuration: DatabaseConfiguration, replica: (any Store)? = nil) {
        var pool = PostgresPool.Configuration(url: configuration.url)
        pool.size = configuration.poolSize
        pool.maxOverflow = configuration.maxOverflow
        pool.timeout = configuration.poolTimeout
        pool.recycle = configuration.poolRecycle
        if let observe = configuration.observe {
            pool.observe = { observe($0, $1, $2?.description) }
        }
        connections = PostgresPool(pool)
        clock = configuration.clock
        self.replica = replica
        timeouts = PostgresTimeouts(lock: configuration.lockTimeout, idle: .seconds(30))
    }

    public func transaction<Result: Sendable>(
        _ body: @Sendable (any StoreTransaction) async throws -> Result
    ) async throws -> Result {
        try await mapped {
            try await connections.withTransaction(timeouts: timeouts) { connection in
                try await body(PostgresTransaction(connection: connection, clock: clock))
            }
        }
    }

    public var lists: any ListStore { replica ?? self }

    public func close() async {
        await replica?.close()
        await connections.shutdown()
    }

    func query(_ query: PostgresQuery) async throws -> PostgresRows {
        try await mapped { try await connections.query(query) }
    }

    /// Runs `body` and turns the client's errors into the store's.
    func mapped<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as PostgresError {
            throw StoreError(error)
        } catch let error as PostgresPoolError {
            throw StoreError.unavailable(error.description)
        }
    }
}

extension StoreError {
    /// Whether trying again can help is told by the class of the SQLSTATE: connections, resources, the operator's
    /// intervention, a server that is read-only for now, a collision; 55P03 is a lock that was not to be had in time.
    init(_ error: PostgresError) {
        let transient = ["53", "57", "58", "40"].contains { error.sqlState?.hasPrefix($0) ?? false }
        if error.sqlState == "55P03" {
            self = .busy(error.description)
        } else if error.isConnectionLost || transient || error.sqlState == "25006" {
            self = .unavailable(error.description)
        } else if error.isMissingObject {
            self = .schema("\(error.description): run `migrate`")
        } else {
            self = .failed(error.description)
        }
    }
}

extension PostgresError {
    /// A table or a column that is not there.
    var isMissingObject: Bool { sqlState == "42P01" || sqlState == "42703" }
}
