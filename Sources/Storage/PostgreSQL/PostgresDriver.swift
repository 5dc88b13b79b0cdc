import Foundation
import Postgres
import Schema

/// PostgreSQL, through libpq.
struct PostgresDriver: DatabaseDriver {
    let connections: PostgresPool
    let clock: (@Sendable () -> Date)?
    /// An instance or a program that hangs must not hold up the others for long.
    private let timeouts: PostgresTimeouts
    /// Which migrations lead to the schema; tests bring others.
    var plan = MigrationPlan(known: Schema.postgreSQL)

    /// Opens no connection yet.
    init(_ configuration: DatabaseConfiguration) {
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
        timeouts = PostgresTimeouts(lock: configuration.lockTimeout, idle: .seconds(30))
    }

    /// READ COMMITTED: what must not change under a transaction is locked before it is read.
    func transaction<Result: Sendable>(
        _ body: @Sendable (any Session) async throws -> Result
    ) async throws -> Result {
        try await mapped {
            try await connections.withTransaction(timeouts: timeouts, retrying: \.isSameDelivery) { connection in
                try await body(PostgresSession(connection: connection))
            }
        }
    }

    func read(_ statements: [SQL]) async throws -> [[any StoredRow]] {
        try await mapped {
            try await connections.withConnection { try await PostgresSession(connection: $0).run(statements) }
        }
    }

    func close() async { await connections.shutdown() }

    /// Runs `body` and turns the client's errors into the store's.
    func mapped<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as PostgresError {
            throw StoreError(error)
        } catch let error as ConstraintViolation {
            throw StoreError.failed(error.description)
        } catch let error as PostgresPoolError {
            throw StoreError.unavailable(error.description)
        }
    }
}

/// A connection while it is lent.
struct PostgresSession: Session {
    let connection: PostgresConnection

    func run(_ statements: [SQL]) async throws -> [[any StoredRow]] {
        var results: [[any StoredRow]] = []
        for statement in statements {
            do {
                let rows = try await connection.query(PostgresQuery(statement))
                results.append(rows.map(PostgresStoredRow.init(row:)))
            } catch let error as PostgresError {
                guard let kind = error.violation else { throw error }
                throw ConstraintViolation(
                    kind: kind, name: error.constraint ?? "", description: error.description)
            }
        }
        return results
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

    fileprivate var violation: ConstraintViolation.Kind? {
        switch sqlState {
        case "23505": .unique
        case "23503": .foreignKey
        case "23514": .check
        default: nil
        }
    }

    /// Whether another transaction has stored the same bytes meanwhile: run again, this one finds them stored (R1).
    fileprivate var isSameDelivery: Bool {
        sqlState == "23505" && constraint == "webhook_events_body_sha256_key"
    }
}
