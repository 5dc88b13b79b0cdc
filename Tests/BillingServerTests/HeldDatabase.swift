import BillingServer
import Foundation
import Postgres
import TestSupport

/// Keeps every commit of deliveries waiting while `body` runs: PostgreSQL's own lock, held by another program.
func withCommitsHeld<Result: Sendable>(
    _ database: TestDatabase, _ body: () async throws -> Result
) async throws -> Result {
    try await database.withLock("lock table webhook_events in access exclusive mode", body)
}

extension TestDatabase {
    /// The database goes away: no new connections, the present ones are cut.
    func goAway() async throws {
        try await administer("alter database \(databaseName) allow_connections false")
        try await administer(
            """
            select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '\(databaseName)'
            """)
    }

    func comeBack() async throws {
        try await administer("alter database \(databaseName) allow_connections true")
    }

    private var databaseName: String { String(url[url.index(after: url.lastIndex(of: "/") ?? url.startIndex)...]) }

    private func administer(_ sql: String) async throws {
        guard let url = ProcessInfo.processInfo.environment["TEST_DATABASE_URL"] else {
            throw HTTPClient.Failure(description: "there is no test server: run make test")
        }
        let connection = try await PostgresConnection.connect(url: url)
        defer { Task { await connection.close() } }
        _ = try await connection.query(PostgresQuery(unescaped: sql))
    }
}

/// For a server beside ``withCommitsHeld(_:_:)``: on a busy machine the test may hold commits for longer than a delivery is
/// given otherwise.
@Sendable func waitsForCommits(_ options: inout ApplicationOptions) {
    options.limits.commitDeadline = .seconds(60)
}
