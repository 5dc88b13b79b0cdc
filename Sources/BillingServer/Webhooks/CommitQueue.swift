import Billing
import Logging
import ServiceLifecycle
import Storage
import Synchronization

/// Where deliveries wait for their commit: those that arrive while one is under way share the next.
final class Inbox: Service {
    /// The delivery could not be made durable; sending it again is right.
    struct Unavailable: Error {}

    private struct Entry: Sendable {
        var event: InboxEvent
        var answer: CheckedContinuation<Receipt, any Error>
    }

    private struct Queue {
        var entries: [Entry] = []
        var isClosed = false
    }

    private let store: any Store
    private let policy: BillingPolicy
    private let limits: Limits
    private let metrics: Metrics
    private let logger: Logger
    private let queue = Mutex(Queue())
    /// Holds one element at most: that there is something to do.
    private let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(store: any Store, policy: BillingPolicy, limits: Limits, metrics: Metrics, logger: Logger) {
        self.store = store
        self.policy = policy
        self.limits = limits
        self.metrics = metrics
        self.logger = logger
    }

    /// Deliveries that wait for a transaction.
    var depth: Int { queue.withLock { $0.entries.count } }

    /// Returns when the delivery is durable. It is stored even if whoever delivered it is gone by then.
    ///
    /// - Throws: ``Unavailable``.
    func submit(_ event: InboxEvent) async throws -> Receipt {
        try await withCheckedThrowingContinuation { answer in
            let isTaken = queue.withLock { queue in
                guard !queue.isClosed, queue.entries.count < limits.queueLength else { return false }
                queue.entries.append(Entry(event: event, answer: answer))
                return true
            }
            if isTaken { arrived.yield() } else { answer.resume(throwing: Unavailable()) }
        }
    }

    /// Commits batch after batch. When told to stop, what was accepted is committed first.
    @concurrent
    func run() async throws {
        await withGracefulShutdownHandler {
            for await _ in arrivals { await commitAll() }
        } onGracefulShutdown: {
            self.arrived.finish()
        }
        queue.withLock { $0.isClosed = true }
        await commitAll()
    }

    private func commitAll() async {
        while case let batch = nextBatch(), !batch.isEmpty {
            await commit(batch)
        }
    }

    private func nextBatch() -> [Entry] {
        queue.withLock { queue in
            var bytes = 0
            let batch = queue.entries.prefix(limits.batchSize).prefix { entry in
                defer { bytes += entry.event.delivery.body.count }
                return bytes < limits.batchBytes
            }
            queue.entries.removeFirst(batch.count)
            return Array(batch)
        }
    }

    private func commit(_ batch: [Entry]) async {
        let start = ContinuousClock.now
        do {
            let receipts = try await store.transaction { [policy] transaction in
                try await Fold(transaction, policy: policy).receive(batch.map(\.event))
            }
            metrics.observe(.batchSize, Double(batch.count))
            metrics.observe(.batchDuration, ContinuousClock.now - start)
            for (entry, receipt) in zip(batch, receipts) { entry.answer.resume(returning: receipt) }
        } catch {
            if error.isUnavailability {
                logger.error(
                    "deliveries could not be stored",
                    metadata: ["error": "\(error.loggable)", "deliveries": "\(batch.count)"])
                for entry in batch { entry.answer.resume(throwing: Unavailable()) }
            } else if batch.count > 1 {
                // One of them is at fault, and must not fail its neighbours.
                for entry in batch { await commit([entry]) }
            } else if let entry = batch.first {
                await setAside(entry, because: error)
            }
        }
    }

    /// Stores an event that could not be folded, to be tried again later: it must not be lost with the delivery.
    private func setAside(_ entry: Entry, because error: any Error) async {
        do {
            let insertion = try await store.transaction { [policy] transaction in
                try await Fold(transaction, policy: policy)
                    .setAside(entry.event, reason: error.isContention ? "busy" : "internal_error")
            }
            guard let insertion else { throw Unavailable() }
            logger.error(
                "event failed and was set aside",
                metadata: ["event_id": "\(insertion.id)", "error": "\(error.loggable)"])
            entry.answer.resume(
                returning: Receipt(
                    eventID: insertion.id, outcome: insertion.outcome, reason: insertion.reason,
                    isDuplicate: !insertion.isNew))
        } catch let second {
            logger.error(
                "delivery could not be stored",
                metadata: ["error": "\(error.loggable)", "then": "\(second.loggable)"])
            entry.answer.resume(throwing: Unavailable())
        }
    }
}

extension Error {
    fileprivate var isUnavailability: Bool {
        if case .unavailable? = self as? StoreError { return true }
        return self is CancellationError
    }

    /// Somebody else holds the account: that says nothing about the others of a batch.
    fileprivate var isContention: Bool {
        if case .busy? = self as? StoreError { true } else { false }
    }

    /// Of an error that is not the store's nobody knows what its text holds.
    var loggable: String { (self as? StoreError)?.description ?? "\(type(of: self))" }
}
