/// Who has which connection and who is next: the pool's bookkeeping, without a lock and without waiting.
struct PoolLedger {
    struct IdleConnection {
        let connection: PostgresConnection
        let openedAt: Duration
        let idleSince: Duration
    }

    /// What a caller gets: a connection, or the right to open one.
    enum Grant {
        case idle(IdleConnection)
        case open
    }

    struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Grant, any Error>
    }

    let size: Int
    let limit: Int
    /// Used as a stack: the connection used last is the likeliest to be alive, and the rest grow idle.
    private(set) var idle: [IdleConnection] = []
    /// Idle and leased connections, and those being opened or closed.
    private(set) var total = 0
    /// Those of `total` that are being closed.
    private var closing = 0
    /// When a connection last came back unfit: the others, idle since before, may be broken too.
    private(set) var lastLoss: Duration?
    private(set) var isShutDown = false
    private var waiters: [Waiter] = []
    private var nextID: UInt64 = 0

    init(size: Int, maxOverflow: Int) {
        self.size = max(size, 1)
        limit = max(size, 1) + max(maxOverflow, 0)
    }

    var waiting: Int { waiters.count }

    mutating func makeID() -> UInt64 {
        nextID += 1
        return nextID
    }

    /// An idle connection or the right to open one, if there is either without waiting. Nobody overtakes: while callers
    /// wait, no connection is idle and the limit is reached.
    mutating func grant() -> Grant? {
        if let last = idle.popLast() { return .idle(last) }
        guard total < limit else { return nil }
        total += 1
        return .open
    }

    mutating func enqueue(_ waiter: Waiter) {
        waiters.append(waiter)
    }

    /// Takes a waiter who gives up out of the queue; `nil` if it has just been served.
    mutating func removeWaiter(_ id: UInt64) -> Waiter? {
        waiters.firstIndex { $0.id == id }.map { waiters.remove(at: $0) }
    }

    enum Destination {
        case waiter(Waiter)
        case idle
        /// It is to be closed, and `removeConnection` called when it is.
        case closing
    }

    /// Takes a connection back.
    ///
    /// - Parameter isReusable: whether it can be lent again.
    mutating func putBack(_ connection: IdleConnection, isReusable: Bool) -> Destination {
        if isReusable, !waiters.isEmpty { return .waiter(waiters.removeFirst()) }
        if !isReusable { lastLoss = connection.idleSince }
        guard isReusable, !isShutDown, total - closing <= size else {
            closing += 1
            return .closing
        }
        idle.append(connection)
        return .idle
    }

    /// A connection has been closed, or one that was granted could not be opened.
    ///
    /// - Returns: the waiter who may open another in its place.
    mutating func removeConnection(closed: Bool) -> Waiter? {
        if closed { closing -= 1 }
        if waiters.isEmpty || isShutDown {
            total -= 1
            return nil
        }
        return waiters.removeFirst()
    }

    /// Closes the ledger for new callers.
    ///
    /// - Returns: the idle connections, which are still part of `total`, and the waiters to turn away.
    mutating func shutDown() -> (idle: [IdleConnection], waiters: [Waiter]) {
        isShutDown = true
        defer {
            closing += idle.count
            idle = []
            waiters = []
        }
        return (idle, waiters)
    }
}
