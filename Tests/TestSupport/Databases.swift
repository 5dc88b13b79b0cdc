import Databases
import Foundation
import Postgres
public import Storage

/// The databases that every test of a store runs against.
public enum DatabaseKind: CaseIterable, Sendable {
    case postgreSQL, sqlite

    /// Lends a migrated store on a database of its own, and removes both.
    public func withStore<Result>(
        clock: TestClock? = nil, _ body: (Store) async throws -> Result
    ) async throws -> Result {
        try await withDatabase { try await $0.withStore(clock: clock, body) }
    }

    /// Lends the address of a database of its own, for tests that open several stores or start processes.
    public func withDatabaseURL<Result>(
        migrated: Bool = true, _ body: (String) async throws -> Result
    ) async throws -> Result {
        try await withDatabase(migrated: migrated) { try await body($0.url) }
    }

    /// Lends a database of its own, and removes it. Not to be called within itself: there are only so many at a time.
    public func withDatabase<Result>(
        migrated: Bool = true, _ body: (TestDatabase) async throws -> Result
    ) async throws -> Result {
        await Places.databases.take()
        do {
            let result = try await withNewDatabase(migrated: migrated, body)
            await Places.databases.leave()
            return result
        } catch {
            await Places.databases.leave()
            throw error
        }
    }

    /// Lends two, as one place.
    ///
    /// - Parameter migrated: whether the second is migrated, as the first is.
    public func withDatabases<Result>(
        migrated: Bool = true, _ body: (TestDatabase, TestDatabase) async throws -> Result
    ) async throws -> Result {
        try await withDatabase { first in
            try await withNewDatabase(migrated: migrated) { second in try await body(first, second) }
        }
    }

    private func withNewDatabase<Result>(
        migrated: Bool, _ body: (TestDatabase) async throws -> Result
    ) async throws -> Result {
        let database = try await create(migrated: migrated)
        do {
            let result = try await body(database)
            try await remove(database)
            return result
        } catch {
            try? await remove(database)
            throw error
        }
    }

    private func create(migrated: Bool) async throws -> TestDatabase {
        let name = "test_" + UUID().uuidString.lowercased().replacing("-", with: "")
        switch self {
        case .postgreSQL:
            let template = migrated ? try await PostgresServer.template() : "template0"
            try await PostgresServer.administer("create database \(name) template \(template)")
            return TestDatabase(kind: self, name: name, url: try PostgresServer.url(of: name))
        case .sqlite:
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let database = TestDatabase(kind: self, name: name, url: "sqlite:\(folder.path)/test.sqlite3")
            if migrated { try await database.withStore { _ in } }
            return database
        }
    }

    private func remove(_ database: TestDatabase) async throws {
        switch self {
        case .postgreSQL: try await PostgresServer.administer("drop database \(database.name) with (force)")
        case .sqlite:
            try FileManager.default.removeItem(
                at: FileManager.default.temporaryDirectory.appendingPathComponent(database.name))
        }
    }
}

/// The server that the test command has started.
enum PostgresServer {
    struct Missing: Error, CustomStringConvertible {
        let description = "there is no test server: run make test"
    }

    static func variable(_ name: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[name] else { throw Missing() }
        return value
    }

    /// The address of another database on the same server, directly or through its pooler.
    static func url(of name: String, variable: String = "TEST_DATABASE_URL") throws -> String {
        let server = try self.variable(variable)
        return server[..<(server.lastIndex(of: "/") ?? server.endIndex)] + "/" + name
    }

    static func administer(_ sql: String) async throws {
        let connection = try await PostgresConnection.connect(url: try variable("TEST_DATABASE_URL"))
        do {
            try await connection.executeScript(sql)
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
    }

    /// A database that was migrated once, to copy from; it goes with the server.
    static func template() async throws -> String { try await migrated.value }

    private static let migrated = Task {
        let name = "template_" + UUID().uuidString.lowercased().replacing("-", with: "")
        try await administer("create database \(name) template template0")
        let store = try DatabaseConfiguration(url: try url(of: name)).open()
        try await store.migrate()
        await store.close()
        return name
    }
}
