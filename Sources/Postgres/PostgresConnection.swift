import CLibPQ
import Synchronization

/// One connection to a PostgreSQL server.
///
/// libpq's calls block, so the actor runs on a queue of its own; statements of several tasks run one after the other.
/// It sets nothing on the session, and so works through PgBouncer in transaction mode.
public actor PostgresConnection {
    /// Called after each statement: its SQL without values, how long it took, and its error.
    public typealias Observer = @Sendable (_ sql: String, _ duration: Duration, _ error: PostgresError?) -> Void

    private let executor = SerialQueueExecutor(label: "postgres.connection")
    private let observe: Observer?
    nonisolated let policy: PreparedStatementPolicy
    private var handle: ConnectionHandle?
    private var cancel: PostgresCancel?
    var statements = PreparedStatements()
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

    /// Connects. Cancelling the task does not shorten it; `connect_timeout` does, 5 s for each host if the URL is
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
    func cancellable(
        _ sql: String, _ body: (ConnectionHandle) throws(PostgresError) -> PostgresResult
    ) async throws -> PostgresRows {
        let statement = CancellableStatement()
        return try await withTaskCancellationHandler {
            guard let cancel else { throw Self.closed }
            try statement.start(cancel)
            var wasCancelled = false
            do throws(PostgresError) {
                return PostgresRows(try run(sql, body) { wasCancelled = statement.finish() })
            } catch {
                if error.isQueryCanceled && wasCancelled { throw CancellationError() }
                throw error
            }
        } onCancel: {
            statement.cancel()
        }
    }

    /// Runs `body` with libpq's connection to its end, whatever becomes of the task.
    func run(
        _ sql: String, _ body: (ConnectionHandle) throws(PostgresError) -> PostgresResult,
        finally finish: () -> Void = {}
    ) throws(PostgresError) -> PostgresResult {
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

    private func ended(_ sql: String, since start: ContinuousClock.Instant, error: PostgresError?) {
        observe?(sql, ContinuousClock.now - start, error)
        guard let handle else { return }
        switch handle.transactionStatus {
        case PQTRANS_INERROR: transactionError = transactionError ?? error
        default: transactionError = nil
        }
        reusable.store(handle.isAlive && handle.transactionStatus == PQTRANS_IDLE, ordering: .releasing)
    }

    private static let closed = PostgresError(message: "the connection is closed", endedConnection: true)
}
