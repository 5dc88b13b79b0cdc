package import Foundation
import GRDB

/// SQLite, for one machine: in a file that several processes may share, or in memory.
///
/// SQLite has one writer at a time, and so has this store: a transaction takes its turn among the tasks of this process,
/// then `BEGIN IMMEDIATE` waits for other processes. From then on the connection belongs to that task until the end, each
/// statement a visit to the connection's own queue, so that nothing blocks Swift's threads while the body awaits. What a
/// transaction reads nobody can change before it ends, hence rows need no locks. Reads outside go to connections of
/// their own, which see what is committed (WAL); in memory there is only the one connection, so they wait their turn.
///
/// Nothing is told to be committed into a file that is not at its path any more (``SQLiteFile``).
package struct SQLiteDriver: DatabaseDriver {
    package let clock: (@Sendable () -> Date)?
    private let place: Place
    private let turn = WriterTurn()
    private let observe: (@Sendable (_ sql: String, _ duration: Duration, _ error: String?) -> Void)?
    private let readTimeout: Duration?
    private let isReadOnly: Bool

    private enum Place {
        case file(SQLiteFile)
        case memory(DatabaseQueue)

        /// - Throws: `StoreError.unavailable` if the file is not at its path.
        func database() throws -> any DatabaseWriter {
            switch self {
            case .file(let file): try file.pool()
            case .memory(let queue): queue
            }
        }

        /// - Throws: `StoreError.unavailable` if the file is not at its path any more.
        func check(_ database: any DatabaseWriter) throws {
            if case .file(let file) = self, let pool = database as? DatabasePool { try file.check(pool) }
        }
    }

    /// How long another process may hold the file before we give up, in seconds.
    private static let patience: TimeInterval = 5
    /// How often we look whether it still does, in microseconds. SQLite's own waiting looks ten times a second in the end,
    /// and would hardly ever find the moment between two transactions of a process that writes all the time.
    private static let look: UInt32 = 2000

    /// Opens the file; its folder must exist. A missing one is created, or taken for an empty one.
    ///
    /// - Throws: `StoreError.invalidURL`; `.unavailable` if the file cannot be opened.
    package init(_ configuration: DatabaseConfiguration) throws {
        let scheme = "sqlite:"
        let path = configuration.url.dropFirst(scheme.count)
        guard configuration.url.hasPrefix(scheme), !path.isEmpty else {
            throw StoreError.invalidURL("expected sqlite:PATH or sqlite::memory:")
        }
        var settings = GRDB.Configuration()
        settings.busyMode = .callback { tries in
            guard Double(tries) * Double(Self.look) < Self.patience * 1_000_000 else { return false }
            usleep(Self.look)
            return true
        }
        settings.maximumReaderCount = max(1, configuration.poolSize)
        // A transaction spans several visits to the connection.
        settings.allowsUnsafeTransactions = true
        let isMissing = !FileManager.default.fileExists(atPath: String(path))
        let isInMemory = path == ":memory:" || (isMissing && !configuration.createsFile)
        clock = configuration.clock
        observe = configuration.observe
        readTimeout = configuration.readTimeout
        isReadOnly = configuration.isReadOnly
        do {
            if isInMemory {
                place = .memory(try DatabaseQueue(configuration: settings))
            } else {
                place = .file(try SQLiteFile(path: String(path)) { [settings] in try Self.open($0, settings) })
            }
        } catch let error as DatabaseError {
            throw StoreError(error)
        }
    }

    private static func open(_ path: String, _ settings: GRDB.Configuration) throws -> DatabasePool {
        let deadline = ContinuousClock.now + .seconds(patience)
        while true {
            do {
                let pool = try DatabasePool(path: path, configuration: settings)
                // A delivery is answered once it is committed: then it must survive a power cut.
                try pool.writeWithoutTransaction { try $0.execute(sql: "pragma synchronous = full") }
                return pool
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && .now < deadline {
                // Turning WAL on does not wait for another process that is doing the same.
                usleep(10_000)
            }
        }
    }

    package func transaction<Result: Sendable>(
        _ limits: TransactionLimits, _ body: @Sendable (any Session) async throws -> Result
    ) async throws -> Result {
        try await write(by: limits.deadline) { try await body($0) }
    }

    /// Lends the writer's connection inside a transaction.
    private func write<Result>(
        by deadline: ContinuousClock.Instant? = nil, _ body: (SQLiteWriter) async throws -> Result
    ) async throws -> Result {
        try await mapped {
            try await turn.begin(by: deadline)
            do {
                let result = try await inTransaction(body)
                await turn.end()
                return result
            } catch {
                await turn.end()
                throw error
            }
        }
    }

    private func inTransaction<Result>(_ body: (SQLiteWriter) async throws -> Result) async throws -> Result {
        let database = try place.database()
        let writer = SQLiteWriter(database: database, observe: observe, limit: isReadOnly ? readTimeout : nil)
        let begin = isReadOnly ? "begin deferred" : "begin immediate"
        do {
            try await writer.visit { try $0.run(script: begin) }
            let result = try await body(writer)
            try Task.checkCancellation()
            try await writer.visit { try $0.run(script: "commit") }
            try place.check(database)
            return result
        } catch {
            // After some errors SQLite has rolled back by itself.
            try? await writer.visit { if $0.database.isInsideTransaction { try $0.run(script: "rollback") } }
            throw error
        }
    }

    /// Lends the writer's connection outside a transaction, for what SQLite refuses within one.
    package func maintain<Result: Sendable>(
        _ body: @escaping @Sendable (SQLiteConnection) throws -> Result
    ) async throws -> Result {
        try await mapped {
            try await turn.begin()
            do {
                let database = try place.database()
                let result = try await SQLiteWriter(database: database, observe: observe).visit(body)
                try place.check(database)
                await turn.end()
                return result
            } catch {
                await turn.end()
                throw error
            }
        }
    }

    /// Lends the writer's connection inside a transaction in which nobody looks after foreign keys: else dropping a table
    /// would first delete its rows one by one, with all that depends on them. Within a transaction it cannot be switched.
    package func alterSchema<Result: Sendable>(
        _ body: @escaping @Sendable (SQLiteConnection) throws -> Result
    ) async throws -> Result {
        try await maintain { connection in
            try connection.run(script: "pragma foreign_keys = off")
            defer { try? connection.run(script: "pragma foreign_keys = on") }
            try connection.run(script: "begin immediate")
            do {
                let result = try body(connection)
                try connection.run(script: "commit")
                return result
            } catch {
                if connection.database.isInsideTransaction { try? connection.run(script: "rollback") }
                throw error
            }
        }
    }

    /// Reads what is committed.
    package func read<Result: Sendable>(
        _ body: @escaping @Sendable (SQLiteConnection) throws -> Result
    ) async throws -> Result {
        guard case .file(let file) = place else { return try await write { try await $0.transact(body) } }
        return try await mapped {
            try Task.checkCancellation()
            let database = try file.pool()
            return try await withCheckedThrowingContinuation { continuation in
                database.asyncRead { [observe, readTimeout] access in
                    continuation.resume(
                        with: Swift.Result {
                            let connection = SQLiteConnection(database: try access.get(), observe: observe)
                            return try connection.within(readTimeout) { try body(connection) }
                        })
                }
            }
        }
    }

    package func read(_ statements: [SQL]) async throws -> [[any StoredRow]] {
        try await read { connection in try statements.map { try connection.run($0) } }
    }

    package var pool: DatabaseHealth.Pool? { nil }

    package func close() async {
        guard (try? await turn.begin()) != nil else { return }
        switch place {
        case .file(let file): file.close()
        case .memory(let queue): try? queue.close()
        }
        await turn.end()
    }

    /// Runs `body` and turns SQLite's errors into the store's.
    private func mapped<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as DatabaseError {
            throw StoreError(error)
        } catch let error as ConstraintViolation {
            throw StoreError.failed(error.description)
        }
    }
}
