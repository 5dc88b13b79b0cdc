/// How much a transaction sees of the others.
public enum PostgresIsolation: String, Sendable {
    case readCommitted = "read committed"
    case repeatableRead = "repeatable read"
    case serializable
}

/// How long the server lets a transaction wait. The limits end with it, so they work through a pooler.
public struct PostgresTimeouts: Sendable, Hashable {
    /// For a lock (SQLSTATE 55P03); nil: as the server is set.
    public var lock: Duration?
    /// For the transaction's next statement (SQLSTATE 25P03); nil: as the server is set.
    public var idle: Duration?
    /// For the answer to what was sent together; then the connection is closed. nil: for ever.
    public var flight: Duration?

    public init(lock: Duration? = nil, idle: Duration? = nil, flight: Duration? = nil) {
        self.lock = lock
        self.idle = idle
        self.flight = flight
    }

    /// What follows BEGIN, and ends with the transaction: the limits; and plans are never compiled, which a high estimate would
    /// bring about for a few rows.
    fileprivate var settings: PostgresQuery {
        let limits = [("lock_timeout", lock), ("idle_in_transaction_session_timeout", idle)]
            .compactMap { name, limit in limit.map { (name, "\(Int($0 / .milliseconds(1)))ms") } }
        let settings = limits + [("jit", "off")]
        let calls = settings.map { "set_config('\($0.0)', '\($0.1)', true)" }
        return PostgresQuery(unescaped: "select \(calls.joined(separator: ", "))")
    }
}

extension PostgresConnection {
    /// Runs `body` in a transaction, commits when it returns and rolls back when it throws.
    ///
    /// After a serialization failure, a deadlock or the loss of a prepared statement the transaction is rolled back
    /// and `body` is run again, so it must have no effects outside the database that may not happen twice. This holds
    /// also if `body` replaced the error by one of its own.
    ///
    /// - Parameters:
    ///   - retries: how often at most it is run again.
    ///   - isCollision: what else is worth running it again for.
    /// - Throws: what `body` throws; `PostgresError`. If `isConnectionLost` is true of it, the transaction may or may
    ///   not have been committed. `CancellationError` if the task is cancelled before COMMIT is sent; from then on the
    ///   server's answer is waited for.
    public nonisolated func withTransaction<Result>(
        isolation: PostgresIsolation = .readCommitted, readOnly: Bool = false,
        timeouts: PostgresTimeouts = PostgresTimeouts(), retries: Int = 5,
        retrying isCollision: @Sendable (PostgresError) -> Bool = { _ in false },
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        try await withTransaction(
            isolation: isolation, readOnly: readOnly, timeouts: timeouts, retries: retries, retrying: isCollision,
            clock: .continuous, body)
    }

    nonisolated func withTransaction<Result>(
        isolation: PostgresIsolation, readOnly: Bool, timeouts: PostgresTimeouts, retries: Int,
        retrying isCollision: @Sendable (PostgresError) -> Bool, clock: PoolClock,
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        var attempt = 0
        while true {
            await begin(isolation: isolation, readOnly: readOnly, timeouts: timeouts)
            do {
                let result = try await body(self)
                try Task.checkCancellation()
                try await commit()
                return result
            } catch {
                let cause = await rollBack(after: error)
                guard let cause, cause.isRetryable || cause.isStatementLost || isCollision(cause), attempt < retries
                else {
                    throw error
                }
            }
            try await clock.sleep(Self.pause(beforeRetry: attempt))
            attempt += 1
        }
    }

    /// Around 5, 10, 20, … ms, at most half a second; never the same for two that have just collided.
    private static func pause(beforeRetry attempt: Int) -> Duration {
        .milliseconds(5) * (1 << min(attempt, 6)) * Double.random(in: 0.5...1.5)
    }

    /// Sends nothing yet.
    private func begin(isolation: PostgresIsolation, readOnly: Bool, timeouts: PostgresTimeouts) {
        let sql = "begin isolation level \(isolation.rawValue)\(readOnly ? " read only" : "")"
        begin([PostgresQuery(unescaped: sql), timeouts.settings], timeLimit: timeouts.flight)
    }

    /// Together with what still waits. Not to be cancelled: whether it took effect would be unknown.
    private func commit() throws {
        let cause = transactionError
        let last = takePending()
        // A transaction that asked for nothing has not begun.
        guard hasBegun else { return end() }
        willCommit()
        let deadline = timeLimit.map { ContinuousClock.now + $0 }
        let all = last + ["commit"]
        let rows = try run(all.map(\.sql)) { handle throws(PostgresError) in try fly(all, handle, deadline) }
        end()
        // The server answers COMMIT of a failed transaction with success and the tag ROLLBACK.
        guard rows.last?.commandTag == "COMMIT" else {
            throw cause
                ?? PostgresError(sqlState: "25P02", message: "the transaction failed and has been rolled back")
        }
    }

    /// Rolls back, and tells what made the transaction fail. A connection on which that is impossible stays unfit for
    /// reuse.
    private func rollBack(after error: any Error) -> PostgresError? {
        let cause = error as? PostgresError ?? transactionError
        end()
        if !isReusable {
            try? run(["rollback"]) { handle throws(PostgresError) in _ = try handle.run("rollback") }
        }
        return isReusable ? cause : nil
    }
}
