import Synchronization

/// Connections to one server, opened when needed and shared among tasks.
///
/// Callers are served in the order they came.
public final class PostgresPool: Sendable {
    let configuration: Configuration
    let clock: PoolClock
    let policy = PreparedStatementPolicy()
    private let ledger: Mutex<PoolLedger>

    /// Opens no connection yet.
    public convenience init(_ configuration: Configuration) {
        self.init(configuration, clock: .continuous)
    }

    init(_ configuration: Configuration, clock: PoolClock) {
        self.configuration = configuration
        self.clock = clock
        ledger = Mutex(PoolLedger(size: configuration.size, maxOverflow: configuration.maxOverflow))
    }

    public var statistics: Statistics {
        ledger.withLock { ledger in
            Statistics(
                size: ledger.total, idle: ledger.idle.count, leased: ledger.total - ledger.idle.count,
                waiting: ledger.waiting)
        }
    }

    /// Lends a connection for as long as `body` runs; it must not be used afterwards.
    ///
    /// A connection that comes back broken or in a transaction is closed.
    ///
    /// - Parameter deadline: until when it waits for a connection, if that is earlier than the pool's time-out.
    /// - Throws: what `body` throws; `PostgresError` if no connection can be made; `PostgresPoolError`;
    ///   `CancellationError` if the task is cancelled while it waits.
    public func withConnection<Result>(
        by deadline: ContinuousClock.Instant? = nil, _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let lease = try await lease(by: deadline)
        do {
            let result = try await body(lease.connection)
            await putBack(lease)
            return result
        } catch {
            await putBack(lease)
            throw error
        }
    }

    /// Runs `body` in a transaction on one of the pool's connections: see `PostgresConnection.withTransaction`.
    ///
    /// If the connection proves to be broken before COMMIT was sent, as after a restart of the server, another one is taken,
    /// once, and `body` is run again.
    ///
    /// - Throws: as `PostgresConnection.withTransaction` and `withConnection`.
    public func withTransaction<Result>(
        isolation: PostgresIsolation = .readCommitted, readOnly: Bool = false,
        settings: PostgresTransactionSettings = PostgresTransactionSettings(), retries: Int = 5,
        retrying isCollision: @Sendable (PostgresError) -> Bool = { _ in false },
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        var isLent = false
        var isCommitting = false
        var isRepeated = false
        while true {
            do {
                return try await withConnection(by: settings.deadline) { connection in
                    isLent = true
                    do {
                        return try await connection.withTransaction(
                            isolation: isolation, readOnly: readOnly, settings: settings, retries: retries,
                            retrying: isCollision, clock: clock, body)
                    } catch {
                        isCommitting = await connection.isCommitting
                        throw error
                    }
                }
            } catch let error as PostgresError
                where error.isConnectionLost && error != .timedOut && isLent && !isCommitting && !isRepeated
            {
                isRepeated = true
            }
        }
    }

    /// Runs one statement on one of the pool's connections.
    ///
    /// - Throws: as `PostgresConnection.query` and `withConnection`.
    public func query(_ query: PostgresQuery) async throws -> PostgresRows {
        try await withConnection { try await $0.query(query) }
    }

    /// Runs one statement on one of the pool's connections and returns how many rows it concerned.
    ///
    /// - Throws: as `query`.
    @discardableResult
    public func execute(_ query: PostgresQuery) async throws -> Int {
        try await self.query(query).affected
    }

    /// Turns away new and waiting callers, waits for the connections that are lent and closes all.
    ///
    /// - Parameter grace: how long it waits; what is lent for longer is closed when it comes back.
    /// - Returns: whether all are closed.
    @discardableResult
    public func shutdown(grace: Duration = .seconds(10)) async -> Bool {
        let (idle, waiters) = ledger.withLock { $0.shutDown() }
        for waiter in waiters { waiter.continuation.resume(throwing: PostgresPoolError.shutDown) }
        for idle in idle { await close(idle.connection) }
        let deadline = clock.now() + grace
        while statistics.size > 0, clock.now() < deadline {
            do { try await clock.sleep(.milliseconds(10)) } catch { break }
        }
        return statistics.size == 0
    }
}

extension PostgresPool {
    struct Lease {
        let connection: PostgresConnection
        let openedAt: Duration
    }

    private func lease(by deadline: ContinuousClock.Instant?) async throws -> Lease {
        var grant = try await nextGrant(by: deadline)
        while case .idle(let idle) = grant {
            if await isSound(idle, by: deadline) {
                return Lease(connection: idle.connection, openedAt: idle.openedAt)
            }
            await idle.connection.close()
            // Its place in the ledger is still ours.
            grant = .open
        }
        return try await open(by: deadline)
    }

    /// What is left of the pool's time-out for one that may wait until then.
    private func patience(until deadline: ContinuousClock.Instant?) -> Duration {
        min(configuration.timeout, deadline.map { $0 - .now } ?? configuration.timeout)
    }

    /// Opens a connection. Nothing shortens libpq's way to it: if the caller gives up before, it goes to the next one.
    private func open(by deadline: ContinuousClock.Instant?) async throws -> Lease {
        let (clock, patience) = (clock, patience(until: deadline))
        let caller = Waiting<Lease>()
        return try await caller.wait { [self] in
            let alarm = Task {
                guard (try? await clock.sleep(patience)) != nil else { return }
                caller.take()?.resume(throwing: PostgresPoolError.timedOut)
            }
            Task {
                defer { alarm.cancel() }
                do {
                    let connection = try await PostgresConnection.connect(
                        url: configuration.url, policy: policy, observe: configuration.observe)
                    let lease = Lease(connection: connection, openedAt: clock.now())
                    if let caller = caller.take() { caller.resume(returning: lease) } else { await putBack(lease) }
                } catch {
                    removeConnection(closed: false)
                    caller.take()?.resume(throwing: error)
                }
            }
        }
    }

    private func isSound(_ idle: PoolLedger.IdleConnection, by deadline: ContinuousClock.Instant?) async -> Bool {
        let now = clock.now()
        if now - idle.openedAt >= configuration.recycle { return false }
        let isSuspect = ledger.withLock { $0.lastLoss.map { idle.idleSince <= $0 } ?? false }
        if !isSuspect, now - idle.idleSince <= configuration.checkAfterIdle { return true }
        let limit = ContinuousClock.now + .seconds(2)
        return await idle.connection.answers(by: min(limit, deadline ?? limit))
    }

    private func putBack(_ lease: Lease) async {
        let idle = PoolLedger.IdleConnection(
            connection: lease.connection, openedAt: lease.openedAt, idleSince: clock.now())
        switch ledger.withLock({ $0.putBack(idle, isReusable: lease.connection.isReusable) }) {
        case .waiter(let waiter): waiter.continuation.resume(returning: .idle(idle))
        case .idle: break
        case .closing: await close(lease.connection)
        }
    }

    private func close(_ connection: PostgresConnection) async {
        // First closed, then counted out: the server must never see more connections than the limit.
        await connection.close()
        removeConnection(closed: true)
    }

    private func removeConnection(closed: Bool) {
        ledger.withLock { $0.removeConnection(closed: closed) }?.continuation.resume(returning: .open)
    }
}

extension PostgresPool {
    /// Waits for a connection or for the right to open one.
    private func nextGrant(by deadline: ContinuousClock.Instant?) async throws -> PoolLedger.Grant {
        let patience = patience(until: deadline)
        try Task.checkCancellation()
        let id = ledger.withLock { $0.makeID() }
        let alarm = Mutex<Task<Void, Never>?>(nil)
        defer { alarm.withLock { $0?.cancel() } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<PoolLedger.Grant, any Error>? = ledger.withLock { ledger in
                    if ledger.isShutDown { return .failure(PostgresPoolError.shutDown) }
                    if let grant = ledger.grant() { return .success(grant) }
                    if ledger.waiting >= configuration.queueLength { return .failure(PostgresPoolError.queueFull) }
                    // The handler below may have run already, and found nobody.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    ledger.enqueue(PoolLedger.Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let outcome { return continuation.resume(with: outcome) }
                let task = Task { [clock, self] in
                    guard (try? await clock.sleep(patience)) != nil else { return }
                    self.turnAway(id, PostgresPoolError.timedOut)
                }
                alarm.withLock { $0 = task }
            }
        } onCancel: {
            turnAway(id, CancellationError())
        }
    }

    private func turnAway(_ id: UInt64, _ error: any Error) {
        ledger.withLock { $0.removeWaiter(id) }?.continuation.resume(throwing: error)
    }
}

/// One caller who waits, and is answered once: by what he waits for, a time-out or his task's cancellation.
private final class Waiting<Value: Sendable>: Sendable {
    private let continuation = Mutex<CheckedContinuation<Value, any Error>?>(nil)

    /// - Parameter begin: called when the caller can be answered.
    func wait(_ begin: () -> Void) async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                self.continuation.withLock { $0 = continuation }
                begin()
                // The handler below may have run already, and found nobody.
                if Task.isCancelled { cancel() }
            }
        } onCancel: {
            cancel()
        }
    }

    /// The caller, for whoever asks first; nil: he has been answered.
    func take() -> CheckedContinuation<Value, any Error>? {
        continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
    }

    private func cancel() { take()?.resume(throwing: CancellationError()) }
}
