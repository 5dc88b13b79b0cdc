import Dispatch
import Synchronization

/// Runs an actor on a serial queue of its own, so that its blocking calls hold up no thread of Swift's pool. A task that
/// prefers it goes from its own code to the actor's and back without waking another thread.
///
/// A task holds no reference to the executor that it prefers, and a child that is added to an outer group prefers it longer
/// than the code that chose it runs. So executors are never freed, but used again.
final class SerialQueueExecutor: SerialExecutor, TaskExecutor {
    private static let idle = Mutex<[SerialQueueExecutor]>([])

    private let queue = DispatchQueue(label: "postgres.connection")

    private init() {}

    /// One that nobody uses.
    static func take() -> SerialQueueExecutor { idle.withLock { $0.popLast() } ?? SerialQueueExecutor() }

    func giveBack() { Self.idle.withLock { $0.append(self) } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async {
            job.runSynchronously(
                isolatedTo: self.asUnownedSerialExecutor(), taskExecutor: self.asUnownedTaskExecutor())
        }
    }
}
