import Foundation
import Synchronization

@testable import Postgres

/// The server and the pooler that `.ci/with-postgres` has started.
enum TestServer {
    struct Missing: Error, CustomStringConvertible {
        let description = "there is no test server: run make test"
    }

    static var url: String { get throws { try variable("TEST_DATABASE_URL") } }
    static var poolerURL: String { get throws { try variable("TEST_PGBOUNCER_URL") } }

    private static func variable(_ name: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[name] else { throw Missing() }
        return value
    }

    static func connect() async throws -> PostgresConnection {
        try await PostgresConnection.connect(url: url)
    }

    static func pool(
        size: Int = 2, maxOverflow: Int = 0, clock: PoolClock = .continuous,
        _ change: (inout PostgresPool.Configuration) -> Void = { _ in }
    ) throws -> PostgresPool {
        var configuration = PostgresPool.Configuration(url: try url)
        configuration.size = size
        configuration.maxOverflow = maxOverflow
        change(&configuration)
        return PostgresPool(configuration, clock: clock)
    }

    /// Lends a pool and the name of a new schema, and removes the schema.
    static func withSchema<Result>(
        size: Int = 4, _ body: (PostgresPool, String) async throws -> Result
    ) async throws -> Result {
        let pool = try pool(size: size)
        let schema = uniqueName()
        try await pool.execute("create schema \(unescaped: schema)")
        let result: Result
        do {
            result = try await body(pool, schema)
        } catch {
            _ = try? await pool.execute("drop schema \(unescaped: schema) cascade")
            await pool.shutdown()
            throw error
        }
        try await pool.execute("drop schema \(unescaped: schema) cascade")
        await pool.shutdown()
        return result
    }

    static func uniqueName() -> String {
        "test_" + UUID().uuidString.lowercased().replacing("-", with: "")
    }
}

/// Lets other tasks run until `condition` holds; the test's time limit ends it otherwise.
func eventually(_ condition: () async throws -> Bool) async throws {
    while try await !condition() {
        try Task.checkCancellation()
        await Task.yield()
    }
}

/// A door that stays open once it has been opened.
final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

/// Counts what happens in several tasks.
final class Counter: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .relaxed) }

    @discardableResult
    func increment() -> Int {
        value.add(1, ordering: .relaxed).newValue
    }
}

/// A clock that moves only when a test says so.
final class ManualClock: Sendable {
    private struct Sleeper {
        let id: Int
        let wakesAt: Duration
        let continuation: CheckedContinuation<Void, any Error>
    }
    private struct State {
        var now: Duration = .zero
        var sleepers: [Sleeper] = []
        var nextID = 0
    }
    private let state = Mutex(State())

    var sleeping: Int { state.withLock { $0.sleepers.count } }

    var clock: PoolClock {
        PoolClock(now: { self.state.withLock { $0.now } }, sleep: { try await self.sleep($0) })
    }

    func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.now += duration
            let now = state.now
            let woken = state.sleepers.filter { $0.wakesAt <= now }
            state.sleepers.removeAll { $0.wakesAt <= now }
            return woken
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }

    private func sleep(_ duration: Duration) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.sleepers.append(
                        Sleeper(id: id, wakesAt: state.now + duration, continuation: continuation))
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.sleepers.firstIndex { $0.id == id }.map { state.sleepers.remove(at: $0) }
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}
