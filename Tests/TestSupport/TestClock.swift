public import Foundation
import Synchronization

/// A clock that moves only when a test says so.
public final class TestClock: Sendable {
    private let moment: Mutex<Date>

    public init(_ now: Date) { moment = Mutex(now) }

    public var now: Date { moment.withLock { $0 } }

    public func set(_ now: Date) { moment.withLock { $0 = now } }

    /// - Parameter seconds: may be negative.
    public func advance(by seconds: TimeInterval) { moment.withLock { $0 += seconds } }
}
