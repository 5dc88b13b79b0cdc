/// How long a transaction may take on PostgreSQL, and its statements. On SQLite only the wait for its one writer is limited,
/// by the deadline: what follows takes no time that others could lengthen, but for five seconds in which another process
/// may hold the file.
public struct TransactionLimits: Sendable, Hashable {
    /// From the wait for a connection to the answer to COMMIT; then the transaction fails with `StoreError.unavailable`.
    public var deadline: ContinuousClock.Instant
    /// A statement; then the transaction fails with `StoreError.tooSlow`.
    public var statement: Duration
    /// The wait for what another transaction holds; then it fails with `StoreError.busy`. nil: as the database is
    /// configured.
    public var lock: Duration?

    public init(deadline: ContinuousClock.Instant, statement: Duration, lock: Duration? = nil) {
        self.deadline = deadline
        self.statement = statement
        self.lock = lock
    }

    /// What nobody waits for at a connection of his own: half a minute for all.
    public static var patient: TransactionLimits {
        TransactionLimits(deadline: .now + .seconds(30), statement: .seconds(30))
    }
}
