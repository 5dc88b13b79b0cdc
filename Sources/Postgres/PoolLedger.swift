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

    /// What there is without waiting. Nobody overtakes: while callers wait, nothing is idle and the limit is reached.
    mutating func grant() -> Grant? {
        if let last = idle.popLast() { return .idle(last) }
        guard total < limit else { return nil }
        total += 1
        return .open
    }

    mutating func enqueue(_ waiter: Waiter) {
        waiters.append(waiter)
    }

    /// Takes a waiter out of the queue who gives up; `nil` if he has just been served.
    mutating func removeWaiter(_ id: UInt64) -> Waiter? {
        waiters.firstIndex { $0.id == id }.map { waiters.remove(at: $0) }
    }

    /// Puts a good connection back.
    ///
    /// - Returns: the waiter to hand it to, or else whether it is to be kept open.
    mutating func putBack(_ connection: IdleConnection) -> (waiter: Waiter?, isKept: Bool) {
        if isShutDown { return (nil, false) }
        if !waiters.isEmpty { return (waiters.removeFirst(), true) }
        guard total <= size else { return (nil, false) }
        idle.append(connection)
        return (nil, true)
    }

    /// A connection is gone, or was never made.
    ///
    /// - Returns: the waiter who may open another in its place.
    mutating func removeConnection() -> Waiter? {
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
            idle = []
            waiters = []
        }
        return (idle, waiters)
    }
}
