package import Foundation
import Postgres

/// PostgreSQL, through libpq.
package struct PostgresDriver: DatabaseDriver {
    package let clock: (@Sendable () -> Date)?
    private let connections: PostgresPool
    private let lockTimeout: Duration
    private let readTimeout: Duration?
    private let collisions: Set<String>
    package let schemaPatience: Duration
    package let onSchemaWait: (@Sendable (_ sessions: String) -> Void)?

    /// Opens no connection yet.
    ///
    /// - Parameter collisions: unique constraints that only a transaction at the same time can have broken. Run again, one
    ///   finds what the other has stored.
    package init(_ configuration: DatabaseConfiguration, collisions: Set<String> = []) {
        var pool = PostgresPool.Configuration(url: configuration.url)
        pool.size = configuration.poolSize
        pool.maxOverflow = configuration.maxOverflow
        pool.timeout = configuration.poolTimeout
        pool.recycle = configuration.poolRecycle
        pool.queueLength = configuration.queueLength
        if let observe = configuration.observe {
            pool.observe = { observe($0, $1, $2?.description) }
        }
        connections = PostgresPool(pool)
        clock = configuration.clock
        lockTimeout = configuration.lockTimeout
        readTimeout = configuration.readTimeout
        self.collisions = collisions
        schemaPatience = configuration.schemaPatience
        onSchemaWait = configuration.onSchemaWait
    }

    /// READ COMMITTED: what must not change under a transaction is locked before it is read. An instance or a program that
    /// hangs must not hold up the others for long.
    package func transaction<Result: Sendable>(
        _ limits: TransactionLimits, _ body: @Sendable (any Session) async throws -> Result
    ) async throws -> Result {
        try await mapped {
            try await connections.withTransaction(
                settings: PostgresTransactionSettings(
                    lockTimeout: limits.lock ?? lockTimeout, idleTimeout: .seconds(30),
                    statementTimeout: limits.statement, deadline: limits.deadline, planning: .byIndexes),
                retrying: { $0.sqlState == "23505" && collisions.contains($0.constraint ?? "") }
            ) { try await body(PostgresSession(connection: $0)) }
        }
    }

    package func read(_ statements: [SQL]) async throws -> [[any StoredRow]] {
        guard let readTimeout else { return try await maintain { try await $0.run(statements) } }
        return try await mapped {
            try await connections.withTransaction(
                readOnly: true,
                // The server stops a statement before we stop waiting: what is slow is told apart from a server that says nothing.
                settings: PostgresTransactionSettings(
                    lockTimeout: readTimeout / 2, statementTimeout: readTimeout * 7 / 8, deadline: .now + readTimeout,
                    planning: .byIndexes)
            ) { try await PostgresSession(connection: $0).run(statements) }
        }
    }

    /// Lends a connection outside a transaction, for what PostgreSQL refuses within one.
    package func maintain<Result>(_ body: (PostgresSession) async throws -> Result) async throws -> Result {
        try await mapped {
            try await connections.withConnection { try await body(PostgresSession(connection: $0)) }
        }
    }

    /// Lends a transaction that may take as long as it needs, for what changes the schema.
    package func alterSchema<Result>(_ body: (PostgresSession) async throws -> Result) async throws -> Result {
        try await mapped {
            try await connections.withTransaction { try await body(PostgresSession(connection: $0)) }
        }
    }

    /// Lends a transaction that reads, and sees all as it is at one moment.
    package func read<Result>(_ body: (PostgresSession) async throws -> Result) async throws -> Result {
        try await mapped {
            try await connections.withTransaction(isolation: .repeatableRead, readOnly: true) {
                try await body(PostgresSession(connection: $0))
            }
        }
    }

    package var pool: DatabaseHealth.Pool? {
        let state = connections.statistics
        return DatabaseHealth.Pool(size: state.size, idle: state.idle, leased: state.leased, waiting: state.waiting)
    }

    package func close() async { await connections.shutdown() }

    /// Runs `body` and turns the client's errors into the store's.
    private func mapped<Result>(_ body: () async throws -> Result) async throws -> Result {
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
package struct PostgresSession: Session {
    let connection: PostgresConnection

    package func run(_ statements: [SQL]) async throws -> [[any StoredRow]] {
        try await refusing { try await connection.flight(statements.map { PostgresQuery($0) }) }
            .map { $0.map(PostgresStoredRow.init(row:)) }
    }

    package func enqueue(_ statements: [SQL]) async throws {
        await connection.enqueue(statements.map { PostgresQuery($0) })
    }

    /// Several statements without values.
    ///
    /// - Throws: as `run`; `StoreError.failed` if what they name is not there, for that is not for want of a migration.
    package func run(script: String) async throws {
        do {
            try await refusing { try await connection.executeScript(script) }
        } catch let error as PostgresError where error.isMissingObject {
            throw StoreError.failed(error.description)
        }
    }

    /// The rows of a statement whose columns are nothing but texts.
    package func texts(_ sql: String) async throws -> [[String?]] {
        try await connection.query(PostgresQuery(unescaped: sql)).texts()
    }

    private func refusing<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as PostgresError {
            guard let kind = error.violation else { throw error }
            throw ConstraintViolation(kind: kind, name: error.constraint ?? "", description: error.description)
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
        } else if error.sqlState == "57014" {
            self = .tooSlow(error.description)
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
    fileprivate var isMissingObject: Bool { sqlState == "42P01" || sqlState == "42703" }

    fileprivate var violation: ConstraintViolation.Kind? {
        switch sqlState {
        case "23505": .unique
        case "23503": .foreignKey
        case "23514": .check
        case "2BP01": .dependency
        default: nil
        }
    }
}
