import CLibPQ
import Dispatch
import Synchronization

/// The means to ask the server to stop what a connection is doing.
///
/// `@unchecked Sendable` because a `PGcancel` is never changed after `PQgetCancel` made it, `PQcancel` may be called
/// from any thread, and it is freed in `deinit`, when nobody can call any more.
final class PostgresCancel: @unchecked Sendable {
    private let pointer: OpaquePointer

    init?(connection: OpaquePointer) {
        guard let pointer = PQgetCancel(connection) else { return nil }
        self.pointer = pointer
    }

    deinit {
        PQfreeCancel(pointer)
    }

    /// Opens a connection of its own to the server, asks, and waits until the server has passed the request on.
    func send() {
        var message = [CChar](repeating: 0, count: 256)
        _ = PQcancel(pointer, &message, Int32(message.count))
    }
}

/// One statement's way from waiting for its connection to its result, and its cancellation on the way.
///
/// A request to cancel stops whatever the connection does when it arrives, so none may be under way once the statement
/// is finished: `finish` waits for it. And one that arrives before the statement has begun is lost, so it is repeated
/// until the statement is finished.
final class CancellableStatement: Sendable {
    private enum State {
        case waiting
        case running(PostgresCancel)
        case cancelled(at: ContinuousClock.Instant)
        case finished
    }

    private let state = Mutex(State.waiting)
    private let finished = DispatchSemaphore(value: 0)
    private let requests = DispatchGroup()
    /// `PQcancel` blocks, and the connection's own queue is busy with the statement.
    private static let queue = DispatchQueue(label: "postgres.cancel", attributes: .concurrent)

    /// The statement is about to be sent.
    ///
    /// - Throws: `CancellationError` if its task has been cancelled before.
    func start(_ cancel: PostgresCancel) throws(CancellationError) {
        let mayStart = state.withLock { state in
            guard case .waiting = state else { return false }
            state = .running(cancel)
            return true
        }
        if !mayStart { throw CancellationError() }
    }

    /// The task has been cancelled. Returns at once.
    func cancel() {
        state.withLock { state in
            switch state {
            case .waiting: state = .cancelled(at: .now)
            case .running(let cancel):
                state = .cancelled(at: .now)
                Self.queue.async(group: requests) { self.request(cancel) }
            case .cancelled, .finished: break
            }
        }
    }

    /// When the task was cancelled.
    var cancelledAt: ContinuousClock.Instant? {
        state.withLock { if case .cancelled(let moment) = $0 { moment } else { nil } }
    }

    /// The statement's result is there, or is given up. Blocks while a request to cancel it is under way, for at most two
    /// seconds: libpq waits for a server that hangs as long as that does.
    ///
    /// - Returns: whether cancellation was asked for, and whether no request is under way any more.
    func finish() -> (wasCancelled: Bool, isSettled: Bool) {
        let wasCancelled = state.withLock { state in
            defer { state = .finished }
            if case .cancelled = state { return true }
            return false
        }
        finished.signal()
        return (wasCancelled, requests.wait(timeout: .now() + 2) == .success)
    }

    private func request(_ cancel: PostgresCancel) {
        var pause = 0.02
        repeat {
            cancel.send()
            pause = min(pause * 2, 1)
        } while finished.wait(timeout: .now() + pause) == .timedOut
    }
}
