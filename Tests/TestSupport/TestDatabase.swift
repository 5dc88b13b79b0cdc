public import Databases
import Foundation
import GRDB
import Postgres
public import Storage

/// A database that is there for one test.
public struct TestDatabase: Sendable {
    public let kind: DatabaseKind
    public let name: String
    public let url: String

    /// The same database through PgBouncer.
    public var pooledURL: String {
        get throws { try PostgresServer.url(of: name, variable: "TEST_PGBOUNCER_URL") }
    }

    /// A store on it; the caller closes it.
    public func open(
        clock: TestClock? = nil, url: String? = nil, _ change: (inout DatabaseConfiguration) -> Void = { _ in }
    ) throws -> Store {
        var configuration = DatabaseConfiguration(url: url ?? self.url)
        if let clock { configuration.clock = { clock.now } }
        change(&configuration)
        return try configuration.open()
    }

    /// Lends a store on it, migrated.
    ///
    /// - Parameter lockTimeout: longer than usual where several transactions want the same on a machine that is busy.
    public func withStore<Result>(
        clock: TestClock? = nil, url: String? = nil, lockTimeout: Duration = .seconds(4),
        _ body: (Store) async throws -> Result
    ) async throws -> Result {
        let store = try open(clock: clock, url: url) { $0.lockTimeout = lockTimeout }
        do {
            try await store.migrate()
            let result = try await body(store)
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }

    /// Runs SQL as another program would: one statement or several, without values.
    public func execute(_ sql: String) async throws {
        switch kind {
        case .postgreSQL: try await withConnection { try await $0.executeScript(sql) }
        case .sqlite: try await queue().writeWithoutTransaction { try $0.execute(sql: sql) }
        }
    }

    /// The only column of a query, which must be text.
    public func values(_ sql: String) async throws -> [String] {
        switch kind {
        case .postgreSQL:
            try await withConnection { try await $0.query(PostgresQuery(unescaped: sql)).values(String.self) }
        case .sqlite: try await queue().read { try String.fetchAll($0, sql: sql) }
        }
    }

    /// Holds what a statement locks on PostgreSQL while `body` runs, as another program's transaction.
    public func withLock<Result>(_ sql: String, _ body: () async throws -> Result) async throws -> Result {
        try await withConnection { connection in
            try await connection.executeScript("begin; \(sql)")
            let result = try await body()
            try await connection.executeScript("rollback")
            return result
        }
    }

    /// How SQLite goes about a statement, whatever its values.
    public func explain(_ sql: String) async throws -> [String] {
        try await queue().read { database in
            let statement = try database.makeStatement(sql: "explain query plan \(sql)")
            // Unbound parameters are null.
            statement.setUncheckedArguments([])
            return try Row.fetchAll(statement).map { $0["detail"] }
        }
    }

    private func withConnection<Result>(
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await PostgresConnection.connect(url: url)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    private func queue() throws -> DatabaseQueue {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(5)
        return try DatabaseQueue(path: String(url.dropFirst("sqlite:".count)), configuration: configuration)
    }
}
