public import Foundation
import Synchronization

/// One at a time: a process that starts while another is being started can inherit the socket by which Foundation learns of
/// the other's end, and then that end is not noticed before its own.
private let launching = Mutex(())

extension Process {
    /// Starts it, as `run` does.
    public func launchAlone() throws {
        try launching.withLock { _ in try run() }
    }
}
