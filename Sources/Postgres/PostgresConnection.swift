import CLibPQ
import Synchronization

/// One connection to a PostgreSQL server.
///
/// libpq's calls block, so the actor runs on a queue of its own; statements of several tasks run one after the other.
/// It sets nothing on the session, and so works through PgBouncer in transaction mode.
public actor PostgresConnection {
    /// Called after each statement: its SQL without values, how long it took, and its error.
    public typealias Observer = @Sendable (_ sql: String, _ duration: Duration, _ error: PostgresError?) -> Void

    let executor = SerialQueueExecutor.take()
    private let observe: Observer?
    nonisolated let policy: PreparedStatementPolicy
    private var handle: ConnectionHandle?
    private var cancel: PostgresCancel?
    var statements = PreparedStatements()
    var planAge = PlanAge()
    /// What made the transaction in progress fail, until it is rolled back.
    private(set) var transactionError: PostgresError?
    private let reusable = Atomic(true)

    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    /// Whether the connection is sound, runs no statement and is in no transaction.
    nonisolated var isReusable: Bool { reusable.load(ordering: .acquiring) }

    init(policy: PreparedStatementPolicy, observe: Observer?) {
        self.policy = policy
        self.observe = observe
    }

    deinit { executor.giveBack() }

    /// Connects. Cancelling the task does not shorten it; `connect_timeout` does, 3 s for each host if the URL is
    /// silent.
    ///
    /// - Parameters:
    ///   - url: what libpq understands: a URI, or keywords and values.
    ///   - defaults: libpq keywords and values that hold unless the URL says otherwise.
    /// - Throws: `PostgresError`.
    public static func connect(
        url: String, defaults: [String: String] = [:], observe: Observer? = nil
    ) async throws -> PostgresConnection {
        try await connect(url: url, defaults: defaults, policy: PreparedStatementPolicy(), observe: observe)
    }

    static func connect(
        url: String, defaults: [String: String] = [:], policy: PreparedStatementPolicy, observe: Observer?
    ) async throws -> PostgresConnection {
        let connection = PostgresConnection(policy: policy, observe: observe)
        try await connection.open(url: url, defaults: defaults)
        return connection
    }

    private func open(url: String, defaults: [String: String]) throws {
        let handle = try ConnectionHandle(url: url, defaults: defaults)
        cancel = PostgresCancel(connection: handle.pointer)
        self.handle = handle
    }

    /// Closes the connection; statements after it fail. May be called again.
    public func close() {
        reusable.store(false, ordering: .releasing)
        handle = nil
        cancel = nil
    }

    /// Whether the last statement left the connection in a transaction that can go on.
    var isInTransaction: Bool {
        handle?.transactionStatus == PQTRANS_INTRANS
    }

    /// Runs `body` with libpq's connection; when the task is cancelled, the server is asked to stop it.
    ///
    /// - Throws: `CancellationError` if the server did stop, `PostgresError` otherwise.
    func cancellable<Result>(
        _ sql: [String], _ body: (ConnectionHandle, Deadline) throws(PostgresError) -> Result
    ) async throws -> Result {
        let statement = CancellableStatement()
        return try await withTaskCancellationHandler {
            guard let cancel else { throw Self.closed }
            try statement.start(cancel)
            var wasCancelled = false
            var isSettled = true
            // A request that is still under way would stop whatever is asked next.
            defer { if !isSettled { close() } }
            let deadline = Deadline(at: deadline, statement: statement)
            do throws(PostgresError) {
                return try run(sql) { handle throws(PostgresError) in
                    try body(handle, deadline)
                } finally: {
                    (wasCancelled, isSettled) = statement.finish()
                }
            } catch {
                if wasCancelled, error.isQueryCanceled || error == .timedOut { throw CancellationError() }
                throw error
            }
        } onCancel: {
            statement.cancel()
        }
    }

    /// Runs `body` with libpq's connection to its end, whatever becomes of the task.
    func run<Result>(
        _ sql: [String], _ body: (ConnectionHandle) throws(PostgresError) -> Result, finally finish: () -> Void = {}
    ) throws(PostgresError) -> Result {
        defer { finish() }
        guard let handle else { throw Self.closed }
        reusable.store(false, ordering: .releasing)
        let start = ContinuousClock.now
        do throws(PostgresError) {
            let result = try body(handle)
            ended(sql, since: start, error: nil)
            return result
        } catch {
            ended(sql, since: start, error: error)
            throw error
        }
    }

    /// Those that were sent together took as long together.
    private func ended(_ sql: [String], since start: ContinuousClock.Instant, error: PostgresError?) {
        if let observe {
            let duration = ContinuousClock.now - start
            for sql in sql { observe(sql, duration, error) }
        }
        guard let handle else { return }
        if error == .timedOut {
            // Nothing that is still to come on it belongs to what is asked next.
            close()
            return
        }
        switch handle.transactionStatus {
        case PQTRANS_INERROR: transactionError = transactionError ?? error
        default: transactionError = nil
        }
        reusable.store(handle.isAlive && handle.transactionStatus == PQTRANS_IDLE, ordering: .releasing)
    }

    // MARK: What waits for the next flight

    /// Statements whose rows nobody needs: they are sent with the next ones, or with COMMIT.
    private var pending: [PostgresQuery] = []
    /// BEGIN has been sent.
    private(set) var hasBegun = false
    /// COMMIT has been sent: whether it took effect is unknown if the connection breaks.
    private(set) var isCommitting = false
    /// Until when the server may answer; nil: whenever it does.
    private(set) var deadline: ContinuousClock.Instant?

    var hasPending: Bool { !pending.isEmpty }

    func takePending() -> [PostgresQuery] {
        defer { pending = [] }
        if pending.first?.isControl == true { hasBegun = true }
        return pending
    }

    /// Leaves statements to the next flight. If one fails, that is when it is told.
    public func enqueue(_ queries: [PostgresQuery]) { pending += queries }

    /// Statements that begin a transaction; they are sent with its first.
    func begin(_ queries: [PostgresQuery], deadline: ContinuousClock.Instant?) {
        (pending, hasBegun, isCommitting, self.deadline) = (queries, false, false, deadline)
    }

    func end() { (pending, hasBegun, deadline) = ([], false, nil) }

    func willCommit() { isCommitting = true }

    private static let closed = PostgresError(message: "the connection is closed", endedConnection: true)
}
