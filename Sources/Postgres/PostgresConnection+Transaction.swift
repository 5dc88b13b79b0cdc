/// How much a transaction sees of the others.
public enum PostgresIsolation: String, Sendable {
    case readCommitted = "read committed"
    case repeatableRead = "repeatable read"
    case serializable
}

/// What holds for a transaction, and ends with it, so that it works through a pooler.
public struct PostgresTransactionSettings: Sendable, Hashable {
    /// How long a statement waits for a lock (SQLSTATE 55P03); nil: as the server is set.
    public var lockTimeout: Duration?
    /// How long the server waits for the next statement (SQLSTATE 25P03); nil: as the server is set.
    public var idleTimeout: Duration?
    /// How long a statement may run (SQLSTATE 57014); nil: as the server is set.
    public var statementTimeout: Duration?
    /// Until when the transaction may take, from the wait for a connection to the answer to COMMIT; then the connection is
    /// closed. nil: for ever.
    public var deadline: ContinuousClock.Instant?
    public var planning: Planning

    public enum Planning: Sendable, Hashable {
        /// As the server is set.
        case byStatistics
        /// Rows are found by their indexes, one after the other, and a statement is planned once for many transactions. For
        /// those that touch few rows of large tables: planning would take longer than running, and their plans are right
        /// whatever the statistics say. But while a table is empty all of its indexes cost the same, so that plans are
        /// made anew as a connection grows older, and every few seconds.
        case byIndexes
    }

    public init(
        lockTimeout: Duration? = nil, idleTimeout: Duration? = nil, statementTimeout: Duration? = nil,
        deadline: ContinuousClock.Instant? = nil, planning: Planning = .byStatistics
    ) {
        self.lockTimeout = lockTimeout
        self.idleTimeout = idleTimeout
        self.statementTimeout = statementTimeout
        self.deadline = deadline
        self.planning = planning
    }

    /// The statements that begin such a transaction.
    ///
    /// - Parameter anew: plans that the connection has made are of no more use.
    fileprivate func begin(_ isolation: PostgresIsolation, readOnly: Bool, anew: Bool) -> [PostgresQuery] {
        let begin = "begin isolation level \(isolation.rawValue)\(readOnly ? " read only" : "")"
        let limits = [
            ("lock_timeout", lockTimeout), ("idle_in_transaction_session_timeout", idleTimeout),
            ("statement_timeout", statementTimeout),
        ]
        .compactMap { name, limit in limit.map { (name, "\(Int($0 / .milliseconds(1)))ms") } }
        let calls = (limits + planning.settings).map { "set_config('\($0.0)', '\($0.1)', true)" }
        let settings = calls.isEmpty ? [] : ["select \(calls.joined(separator: ", "))"]
        return ([begin] + (anew ? ["discard plans"] : []) + settings).map { PostgresQuery(unescaped: $0) }
    }
}

extension PostgresTransactionSettings.Planning {
    fileprivate var settings: [(String, String)] {
        switch self {
        case .byStatistics: []
        case .byIndexes:
            [
                ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"), ("jit", "off"),
            ]
        }
    }
}

extension PostgresConnection {
    /// Runs `body` in a transaction, commits when it returns and rolls back when it throws.
    ///
    /// After a serialization failure, a deadlock or the loss of a prepared statement the transaction is rolled back
    /// and `body` is run again, so it must have no effects outside the database that may not happen twice. This holds
    /// also if `body` replaced the error by one of its own.
    ///
    /// `body` runs on the connection's queue, as do child tasks that it makes: while one waits for this connection's server,
    /// the others wait, too.
    ///
    /// - Parameters:
    ///   - retries: how often at most it is run again.
    ///   - isCollision: what else is worth running it again for.
    /// - Throws: what `body` throws; `PostgresError`. If `isConnectionLost` is true of it, the transaction may or may
    ///   not have been committed. `CancellationError` if the task is cancelled before COMMIT is sent; from then on the
    ///   server's answer is waited for.
    public nonisolated func withTransaction<Result>(
        isolation: PostgresIsolation = .readCommitted, readOnly: Bool = false,
        settings: PostgresTransactionSettings = PostgresTransactionSettings(), retries: Int = 5,
        retrying isCollision: @Sendable (PostgresError) -> Bool = { _ in false },
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        try await withTransaction(
            isolation: isolation, readOnly: readOnly, settings: settings, retries: retries, retrying: isCollision,
            clock: .continuous, body)
    }

    nonisolated func withTransaction<Result>(
        isolation: PostgresIsolation, readOnly: Bool, settings: PostgresTransactionSettings, retries: Int,
        retrying isCollision: @Sendable (PostgresError) -> Bool, clock: PoolClock,
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        // Waking a thread takes as long as a short statement, and a transaction goes to its connection and back several times.
        try await withTaskExecutorPreference(executor) {
            var attempt = 0
            while true {
                await begin(isolation: isolation, readOnly: readOnly, settings: settings)
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
    }

    /// Around 5, 10, 20, … ms, at most half a second; never the same for two that have just collided.
    private static func pause(beforeRetry attempt: Int) -> Duration {
        .milliseconds(5) * (1 << min(attempt, 6)) * Double.random(in: 0.5...1.5)
    }

    /// Sends nothing yet.
    private func begin(isolation: PostgresIsolation, readOnly: Bool, settings: PostgresTransactionSettings) {
        let anew = settings.planning == .byIndexes && planAge.isOver()
        begin(settings.begin(isolation, readOnly: readOnly, anew: anew), deadline: settings.deadline)
    }

    /// Together with what still waits. Not to be cancelled: whether it took effect would be unknown.
    private func commit() throws {
        let cause = transactionError
        let last = takePending()
        // A transaction that asked for nothing has not begun.
        guard hasBegun else { return end() }
        willCommit()
        let all = last + ["commit"]
        let rows = try run(all.map(\.sql)) { handle throws(PostgresError) in
            try fly(all, handle, Deadline(at: deadline))
        }
        end()
        // The server answers COMMIT of a failed transaction with success and the tag ROLLBACK.
        guard rows.last?.commandTag == "COMMIT" else {
            throw cause
                ?? PostgresError(sqlState: "25P02", message: "the transaction failed and has been rolled back")
        }
    }

    /// Rolls back, and tells what made the transaction fail. A connection on which that is impossible, or takes longer
    /// than two seconds, stays unfit for reuse.
    private func rollBack(after error: any Error) -> PostgresError? {
        let cause = error as? PostgresError ?? transactionError
        end()
        if !isReusable {
            let deadline = ContinuousClock.now + .seconds(2)
            try? run(["rollback"]) { handle throws(PostgresError) in
                try handle.run("rollback", deadline: Deadline(at: deadline))
            }
        }
        return isReusable ? cause : nil
    }
}

/// How long a connection goes by the plans that it has made.
struct PlanAge {
    private var transactions = 0
    private var madeAt = ContinuousClock.now

    /// Asked by each transaction: after 4, 16, 64, … of them, since a table that is new grows fast, and after five
    /// seconds, which is a hundred times what planning takes.
    mutating func isOver(at now: ContinuousClock.Instant = .now) -> Bool {
        transactions += 1
        let isPowerOfFour = transactions.nonzeroBitCount == 1 && transactions.trailingZeroBitCount.isMultiple(of: 2)
        guard transactions > 1, isPowerOfFour || now - madeAt > .seconds(5) else { return false }
        madeAt = now
        return true
    }
}
