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
    /// - Throws: what `body` throws; `PostgresError` if no connection can be made; `PostgresPoolError`;
    ///   `CancellationError` if the task is cancelled while it waits.
    public func withConnection<Result>(
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let lease = try await lease()
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
                return try await withConnection { connection in
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

    private func lease() async throws -> Lease {
        var grant = try await nextGrant()
        while case .idle(let idle) = grant {
            if await isSound(idle) { return Lease(connection: idle.connection, openedAt: idle.openedAt) }
            await idle.connection.close()
            // Its place in the ledger is still ours.
            grant = .open
        }
        do {
            let connection = try await PostgresConnection.connect(
                url: configuration.url, policy: policy, observe: configuration.observe)
            return Lease(connection: connection, openedAt: clock.now())
        } catch {
            removeConnection(closed: false)
            throw error
        }
    }

    private func isSound(_ idle: PoolLedger.IdleConnection) async -> Bool {
        let now = clock.now()
        if now - idle.openedAt >= configuration.recycle { return false }
        let isSuspect = ledger.withLock { $0.lastLoss.map { idle.idleSince <= $0 } ?? false }
        if !isSuspect, now - idle.idleSince <= configuration.checkAfterIdle { return true }
        return await idle.connection.answers()
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
    private func nextGrant() async throws -> PoolLedger.Grant {
        try Task.checkCancellation()
        let id = ledger.withLock { $0.makeID() }
        let alarm = Mutex<Task<Void, Never>?>(nil)
        defer { alarm.withLock { $0?.cancel() } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<PoolLedger.Grant, any Error>? = ledger.withLock { ledger in
                    if ledger.isShutDown { return .failure(PostgresPoolError.shutDown) }
                    if let grant = ledger.grant() { return .success(grant) }
                    // The handler below may have run already, and found nobody.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    ledger.enqueue(PoolLedger.Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let outcome { return continuation.resume(with: outcome) }
                let task = Task { [clock, timeout = configuration.timeout, self] in
                    guard (try? await clock.sleep(timeout)) != nil else { return }
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
