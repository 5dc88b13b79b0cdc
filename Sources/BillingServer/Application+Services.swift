import Logging
import ServiceLifecycle
import Storage

/// Runs `tick` again and again, an interval apart (R17). A failure is logged, and the next run comes all the same.
struct Ticking<Timepiece: Clock>: Service where Timepiece.Duration == Duration {
    let interval: Duration
    let clock: Timepiece
    let preparation: Preparation
    let metrics: Metrics
    let logger: Logger
    let tick: @Sendable () async throws -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if preparation.isReady { try await tick() }
                } catch {
                    // A shutdown interrupts a run. What is left of it is done after the next start.
                    if Task.isCancelled { return }
                    metrics.tickFailures.increment()
                    logger.error("the clock failed", metadata: ["error": "\(error.loggable)"])
                }
                try? await clock.sleep(for: interval)
            }
        }
    }
}

/// Work of its own kind beside deliveries and clock, from when the database is ready until the shutdown, which cancels it.
struct Aside: Service {
    let preparation: Preparation
    let work: @Sendable () async -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await preparation.waitUntilReady()
            if !Task.isCancelled { await work() }
            // The end of a service ends the application.
            try? await gracefulShutdown()
        }
    }
}

/// Closes the store when everything that uses it has ended.
struct StoreClosing: Service {
    let store: Store

    func run() async throws {
        try? await gracefulShutdown()
        await store.close()
    }
}
