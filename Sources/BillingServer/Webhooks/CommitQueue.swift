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

    fileprivate struct Entry: Sendable {
        var event: InboxEvent
        var answer: CheckedContinuation<EventDecision, any Error>
        var arrivedAt = ContinuousClock.now
        /// How long it rests when another transaction holds what it needs. Twice as long each time: a batch that meets
        /// something held is loaded again without it, which all others in the batch pay for.
        var rest = Duration.milliseconds(25)
        var restsUntil = ContinuousClock.now
    }

    fileprivate struct Queue {
        var entries: [Entry] = []
        /// What another transaction held when their turn came. They come again when they have rested.
        var held: [Entry] = []
        var isClosed = false
    }

    private let store: Store
    private let policy: BillingPolicy
    private let limits: Limits
    private let metrics: Metrics
    private let preparation: Preparation
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

    init(
        store: Store, policy: BillingPolicy, limits: Limits, metrics: Metrics, preparation: Preparation, logger: Logger
    ) {
        self.store = store
        self.policy = policy
        self.limits = limits
        self.metrics = metrics
        self.preparation = preparation
        self.logger = logger
    }

    /// Deliveries that wait for a transaction.
    var depth: Int { queue.withLock { $0.entries.count } }

    /// Returns when the delivery is committed. It is stored even if its sender has hung up by then.
    ///
    /// - Throws: ``Unavailable`` if the queue is full or closed, or the database is away.
    func submit(_ event: InboxEvent) async throws -> EventDecision {
        guard preparation.isReady else { throw Unavailable() }
        return try await withCheckedThrowingContinuation { answer in
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
        // Whatever is held still is set aside now; none rests for longer than that.
        while takeHeld(restedBy: .now + limits.heldPatience) { await commitAll(from: 1) }
    }

    /// Batch after batch, as long as so many wait.
    private func commitAll(from threshold: Int) async {
        while case let batch = nextBatch(from: threshold), !batch.isEmpty {
            await commit(batch, by: .now + limits.commitDeadline)
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

    /// Commits a batch, or turns it away when the deadline has passed.
    private func commit(_ batch: [Entry], by deadline: ContinuousClock.Instant) async {
        let start = ContinuousClock.now
        do {
            let decisions = try await store.transaction(transactionLimits(until: deadline)) { [policy] transaction in
                try await Fold(transaction, policy: policy).receiveUnlessHeld(batch.map(\.event))
            }
            metrics.batchSize.observe(Double(batch.count))
            metrics.batchDuration.observe(ContinuousClock.now - start)
            var held: [Entry] = []
            for (entry, decision) in zip(batch, decisions) {
                if let decision { entry.answer.resume(returning: decision) } else { held.append(entry) }
            }
            await postpone(held, by: deadline)
        } catch  where error.isUnavailability || .now >= deadline {
            turnAway(batch, because: error)
            // They would wait for the same, and have waited already.
            if .now >= deadline { turnAway(queue.withLock { $0.takeAll() }, because: error) }
        } catch {
            // By halves, so that the one at fault does not fail the others.
            if batch.count > 1 {
                await commit(Array(batch.prefix(batch.count / 2)), by: deadline)
                await commit(Array(batch.suffix(from: batch.count / 2)), by: deadline)
            } else if let entry = batch.first {
                await setAside(entry, reason: RetryDelay.faultReason, because: error, by: deadline)
            }
        }
        _ = takeHeld(restedBy: .now)
    }

    private func transactionLimits(until deadline: ContinuousClock.Instant) -> TransactionLimits {
        TransactionLimits(deadline: deadline, statement: limits.commitDeadline / 2, lock: limits.commitDeadline / 4)
    }

    private func turnAway(_ entries: [Entry], because error: any Error) {
        guard !entries.isEmpty else { return }
        logger.error(
            "deliveries could not be stored",
            metadata: ["error": "\(error.loggable)", "deliveries": "\(entries.count)"])
        for entry in entries { entry.answer.resume(throwing: Unavailable()) }
    }

    /// What another transaction holds is tried again, as long as its sender can be kept waiting; then it is set aside.
    private func postpone(_ entries: [Entry], by deadline: ContinuousClock.Instant) async {
        var patient: [Entry] = []
        let now = ContinuousClock.now
        for var entry in entries {
            let waited = now - entry.arrivedAt
            if !isClosed, waited < limits.heldPatience {
                entry.restsUntil = now + min(entry.rest, limits.heldPatience - waited)
                entry.rest *= 2
                patient.append(entry)
            } else {
                await setAside(
                    entry, reason: RetryDelay.heldReason, because: StoreError.busy("an account"), by: deadline)
            }
        }
        queue.withLock { $0.held += patient }
        for rested in Set(patient.map(\.restsUntil)) {
            Task {
                try? await Task.sleep(until: rested)
                if takeHeld(restedBy: rested) { lanes[0].arrived.yield() }
            }
        }
    }

    private var isClosed: Bool { queue.withLock(\.isClosed) }

    /// Puts what was held back in line, if it has rested by then.
    ///
    /// - Returns: whether there was anything.
    private func takeHeld(restedBy moment: ContinuousClock.Instant) -> Bool {
        queue.withLock { queue in
            let rested = queue.held.filter { $0.restsUntil <= moment }
            queue.held.removeAll { $0.restsUntil <= moment }
            queue.entries += rested
            return !rested.isEmpty
        }
    }

    /// Stores a delivery whose event could not be applied, as `failed` (R2): it is tried again later.
    private func setAside(
        _ entry: Entry, reason: String, because error: any Error, by deadline: ContinuousClock.Instant
    ) async {
        do {
            let decision = try await store.transaction(transactionLimits(until: deadline)) { [policy] transaction in
                try await Fold(transaction, policy: policy).setAside(entry.event, reason: reason)
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

extension CommitQueue.Queue {
    fileprivate mutating func takeAll() -> [CommitQueue.Entry] {
        defer { (entries, held) = ([], []) }
        return entries + held
    }
}

extension Error {
    /// Whether it says nothing about the deliveries: the database is away, or a table is locked that all of them need.
    /// Rows that are locked are left out, and not waited for.
    fileprivate var isUnavailability: Bool {
        switch self as? StoreError {
        case .unavailable?, .busy?: true
        default: self is CancellationError
        }
    }

    /// What may be logged. Of errors that are not the store's only the type: their text might hold personal data.
    var loggable: String { (self as? StoreError)?.description ?? "\(type(of: self))" }
}
