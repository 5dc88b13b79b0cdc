import Foundation
import Logging
import Selextract
import ServiceLifecycle
import Storage
import Synchronization

/// Counts calls with API keys in memory, and writes the counts once an interval and when the service ends, so that a call
/// costs no write of its own.
final class APICalls: Service {
    private struct Key: Hashable {
        var account: UUID
        /// UTC, by the database's clock.
        var date: UsageDay
    }

    private let store: Store
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let failureLog = Throttle(every: .seconds(60))
    private let counts = Mutex<[Key: Int]>([:])

    init(store: Store, interval: Duration, clock: any Clock<Duration>, logger: Logger) {
        self.store = store
        self.interval = interval
        self.clock = clock
        self.logger = logger
    }

    func count(_ holder: KeyHolder) {
        let key = Key(account: holder.user.id, date: UsageDay(containing: holder.at))
        counts.withLock { $0[key, default: 0] += 1 }
    }

    /// Ends after the listeners have, so that the last of their calls are written, too.
    func run() async throws {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            // Only the waiting is cut short: a write that is under way comes to its end.
            await cancelWhenGracefulShutdown { try? await self.clock.sleep(for: self.interval) }
            await write()
        }
        // What came while a write was under way, and what that one could not write.
        await write()
    }

    private func write() async {
        let gathered = counts.withLock { counts in
            defer { counts = [:] }
            return counts
        }
        do {
            try await store.add(
                gathered.map { UsageAddition(userID: $0.key.account, date: $0.key.date, apiCalls: $0.value) })
        } catch {
            // Kept for the next write. If this one was committed and only the answer was lost, they count twice, which is
            // better than not at all.
            counts.withLock { $0.merge(gathered, uniquingKeysWith: +) }
            guard failureLog.allows() else { return }
            logger.warning("API calls could not be written, and are kept", metadata: ["error": "\(error.loggable)"])
        }
    }
}
