import Foundation
import Logging
import ServiceLifecycle

/// Ends the process when a shutdown takes too long, whatever hangs: on a thread that waits for nothing else.
struct ShutdownDeadline: Service {
    let deadline: Duration
    let logger: Logger
    let end: @Sendable () -> Void

    func run() async throws {
        try? await gracefulShutdown()
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: deadline / .seconds(1))
            logger.critical("the shutdown took too long: what is under way is given up")
            end()
        }
    }
}
