import Synchronization

/// Lets something happen once in a while, however often it is asked for.
final class Throttle: Sendable {
    private let interval: Duration
    private let last = Mutex<ContinuousClock.Instant?>(nil)

    init(every interval: Duration) {
        self.interval = interval
    }

    func allows() -> Bool {
        let now = ContinuousClock.now
        return last.withLock { last in
            if let last, now < last + interval { return false }
            last = now
            return true
        }
    }
}
