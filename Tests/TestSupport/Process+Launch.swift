public import Foundation
import Synchronization

/// One at a time: a process that starts while another is being started can inherit the socket by which Foundation learns of
/// the other's end, and then that end is not noticed before its own.
private let launching = Mutex(())

extension Process {
    /// Starts it, as `run` does, but refuses what would end this process now and then: Foundation copies each entry of
    /// `/proc/self/fd` as 256 bytes, and the entry of about the 1,350th descriptor lies at the very end of a buffer.
    public func launchAlone() throws {
        try launching.withLock { _ in
            let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            guard descriptors < 1300 else { throw TooManyDescriptors(count: descriptors) }
            try run()
        }
    }
}

struct TooManyDescriptors: Error, CustomStringConvertible {
    let count: Int
    var description: String { "\(count) descriptors are open: Foundation cannot start a process safely" }
}
