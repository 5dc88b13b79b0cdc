import Logging
import ServiceLifecycle
import Storage

/// Moves what was counted into the usage database, again and again. While that is away, it waits in the main database, and
/// nothing else does.
struct UsageMoving: Service {
    let store: Store
    let usageDatabase: UsageDatabase
    /// Whether its tables may be made.
    let migrates: Bool
    let preparation: Preparation
    let interval: Duration
    let clock: any Clock<Duration>
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            let failureLog = Throttle(every: .seconds(60))
            var isPrepared = false
            while !Task.isCancelled {
                do {
                    if preparation.isReady {
                        if !isPrepared { try await prepare() }
                        isPrepared = true
                        try await store.moveUsage()
                    }
                } catch {
                    if Task.isCancelled { return }
                    if failureLog.allows() {
                        logger.error(
                            "usage could not be moved to its database, and waits",
                            metadata: ["error": "\(error.loggable)"])
                    }
                }
                try? await clock.sleep(for: interval)
            }
        }
    }

    private func prepare() async throws {
        if migrates { try await usageDatabase.migrate() } else { try await usageDatabase.check() }
    }
}
