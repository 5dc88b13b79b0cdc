import Accounts
import Billing
import Databases
import Logging
import ServiceLifecycle
import Storage
import Synchronization

/// Deliveries that wait to be committed. Those that arrive during a commit share the next transaction, so that a commit's
/// cost is divided among them.
final class CommitQueue: Service {
    /// The delivery could not be stored. The provider should send it again.
    struct Unavailable: Error {}

    private struct Entry: Sendable {
        var event: InboxEvent
        var answer: CheckedContinuation<EventDecision, any Error>
    }

    private struct Queue {
        var entries: [Entry] = []
        var isClosed = false
    }

    private let store: Store
    private let policy: BillingPolicy
    private let limits: Limits
    private let metrics: Metrics
    private let logger: Logger
    private let queue = Mutex(Queue())
    private let lanes = [Lane(from: 1), Lane(from: 16)]

    /// Commits batches, one after the other. While one lane waits for the database, another computes: a second is worth its
    /// connection only if enough waits for it, since a batch costs less an event the greater it is. The locks of what the
    /// events name keep the lanes apart.
    private struct Lane: Sendable {
        /// How many deliveries have to wait for it to take some.
        let threshold: Int
        /// Wakes it. One element is enough: each wake-up commits everything that waits.
        let arrivals: AsyncStream<Void>
        let arrived: AsyncStream<Void>.Continuation

        init(from threshold: Int) {
            self.threshold = threshold
            (arrivals, arrived) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        }
    }

    init(store: Store, policy: BillingPolicy, limits: Limits, metrics: Metrics, logger: Logger) {
        self.store = store
        self.policy = policy
        self.limits = limits
        self.metrics = metrics
        self.logger = logger
    }

    /// Deliveries that wait for a transaction.
    var depth: Int { queue.withLock { $0.entries.count } }

    /// Returns when the delivery is committed. It is stored even if its sender has hung up by then.
    ///
    /// - Throws: ``Unavailable`` if the queue is full or closed, or the database is away.
    func submit(_ event: InboxEvent) async throws -> EventDecision {
        try await withCheckedThrowingContinuation { answer in
            let waiting: Int? = queue.withLock { queue in
                guard !queue.isClosed, queue.entries.count < limits.queueLength else { return nil }
                queue.entries.append(Entry(event: event, answer: answer))
                return queue.entries.count
            }
            guard let waiting else { return answer.resume(throwing: Unavailable()) }
            for lane in lanes where waiting >= lane.threshold { lane.arrived.yield() }
        }
    }

    /// Commits batch after batch. When told to stop, what was accepted is committed first.
    @concurrent
    func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for lane in lanes {
                    group.addTask {
                        for await _ in lane.arrivals { await self.commitAll(from: lane.threshold) }
                    }
                }
            }
        } onGracefulShutdown: {
            for lane in self.lanes { lane.arrived.finish() }
        }
        queue.withLock { $0.isClosed = true }
        await commitAll(from: 1)
    }

    /// Batch after batch, as long as so many wait.
    private func commitAll(from threshold: Int) async {
        while case let batch = nextBatch(from: threshold), !batch.isEmpty {
            await commit(batch)
        }
    }

    private func nextBatch(from threshold: Int) -> [Entry] {
        queue.withLock { queue in
            guard queue.entries.count >= threshold else { return [] }
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
            let decisions = try await store.transaction { [policy] transaction in
                try await Fold(transaction, policy: policy).receive(batch.map(\.event))
            }
            metrics.batchSize.observe(Double(batch.count))
            metrics.batchDuration.observe(ContinuousClock.now - start)
            for (entry, decision) in zip(batch, decisions) { entry.answer.resume(returning: decision) }
        } catch {
            if error.isUnavailability {
                logger.error(
                    "deliveries could not be stored",
                    metadata: ["error": "\(error.loggable)", "deliveries": "\(batch.count)"])
                for entry in batch { entry.answer.resume(throwing: Unavailable()) }
            } else if batch.count > 1 {
                // Each by itself, so that the one at fault does not fail the others.
                for entry in batch { await commit([entry]) }
            } else if let entry = batch.first {
                await setAside(entry, because: error)
            }
        }
    }

    /// Stores a delivery whose event could not be applied, as `failed` (R2): it is tried again later.
    private func setAside(_ entry: Entry, because error: any Error) async {
        do {
            let decision = try await store.transaction { [policy] transaction in
                try await Fold(transaction, policy: policy)
                    .setAside(entry.event, reason: error.isContention ? "busy" : "internal_error")
            }
            guard let decision else { throw Unavailable() }
            logger.error(
                "event failed and was set aside",
                metadata: ["event_id": "\(decision.eventID)", "error": "\(error.loggable)"])
            entry.answer.resume(returning: decision)
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

    /// Whether another transaction held the account's lock for too long; the event itself may be fine.
    fileprivate var isContention: Bool {
        if case .busy? = self as? StoreError { true } else { false }
    }

    /// What may be logged. Of errors that are not the store's only the type: their text might hold personal data.
    var loggable: String { (self as? StoreError)?.description ?? "\(type(of: self))" }
}
