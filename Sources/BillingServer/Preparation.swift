import Databases
import Logging
import ServiceLifecycle
import Storage
import Synchronization

/// Makes the database ready while the ports listen already. One that is away is waited for: until it has come, deliveries
/// are answered 503, so that the provider sends them again, and the clock stands still.
final class Preparation: Service {
    private let prepare: (@Sendable () async throws -> Void)?
    private let onReady: @Sendable () async -> Void
    private let isListening: Milestone
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let isDone: Atomic<Bool>
    private let done = Milestone()
    private let failure = Mutex<String?>(nil)

    /// - Parameters:
    ///   - prepare: nil: the database is ready.
    ///   - onReady: called when it is done.
    ///   - isListening: it begins when the ports listen, since listeners must not be stopped while they start.
    ///   - interval: from one attempt to the next.
    init(
        _ prepare: (@Sendable () async throws -> Void)?, onReady: @escaping @Sendable () async -> Void,
        after isListening: Milestone, every interval: Duration, clock: any Clock<Duration>,
        logger: Logger
    ) {
        self.prepare = prepare
        self.onReady = onReady
        self.isListening = isListening
        self.interval = interval
        self.clock = clock
        self.logger = logger
        isDone = Atomic(prepare == nil)
        if prepare == nil { done.reach() }
    }

    var isReady: Bool { isDone.load(ordering: .acquiring) }

    /// Returns when it is ready, or the task is cancelled.
    func waitUntilReady() async { await done.wait() }

    /// Why it is not ready.
    var reason: String { failure.withLock { $0 ?? "the database is being made ready" } }

    /// - Throws: what waiting does not cure: then the service ends.
    func run() async throws {
        try await cancelWhenGracefulShutdown { try await self.waitForDatabase() }
        try? await gracefulShutdown()
    }

    private func waitForDatabase() async throws {
        guard let prepare else { return }
        await isListening.wait()
        // At most a line in five seconds; an attempt takes some of them if the host says nothing.
        let line = Throttle(every: .seconds(5))
        while !Task.isCancelled {
            do {
                try await prepare()
                isDone.store(true, ordering: .releasing)
                done.reach()
                await onReady()
                return
            } catch let error as StoreError where error.passes {
                failure.withLock { $0 = error.description }
                if line.allows() {
                    logger.error("waiting for the database", metadata: ["error": "\(error)"])
                }
                try? await clock.sleep(for: interval)
            } catch is CancellationError {
                return
            }
        }
    }
}

extension StoreError {
    fileprivate var passes: Bool {
        switch self {
        case .unavailable, .busy, .tooSlow: true
        default: false
        }
    }
}
