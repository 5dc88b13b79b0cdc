import Synchronization

/// Notices that the secret that is set is probably not the webhook's: deliveries come, and none has a valid signature.
///
/// Once a delivery has had a valid signature the secret is known to be right, and wrong signatures are other people's:
/// anybody can send them. So there is a warning only as long as none has been valid since the start.
final class SignatureWatch: Sendable {
    static let warning = """
        no delivery has had a valid signature since the start: compare LEMON_SQUEEZY_WEBHOOK_SECRET with the signing \
        secret of the webhook at Lemon Squeezy; test mode and live mode have one each
        """

    private struct State {
        var refused = 0
        var hasAccepted = false
        var warnedAt: ContinuousClock.Instant?

        var isMismatch: Bool { !hasAccepted && refused >= 3 }
    }

    private let state = Mutex(State())

    /// Whether three deliveries or more were refused, and none accepted.
    var isMismatch: Bool { state.withLock(\.isMismatch) }

    /// A delivery had a valid signature, and so the secret is right.
    func accept() {
        state.withLock { $0.hasAccepted = true }
    }

    /// A delivery had no valid signature.
    ///
    /// - Returns: how many there were, if a warning is due: at most once a minute.
    func refuse(at now: ContinuousClock.Instant = .now) -> Int? {
        state.withLock { state in
            state.refused += 1
            guard state.isMismatch else { return nil }
            if let warnedAt = state.warnedAt, now < warnedAt + .seconds(60) { return nil }
            state.warnedAt = now
            return state.refused
        }
    }
}

/// Lets something happen at most once in an interval, for example a log line about something that anybody can cause.
final class Throttle: Sendable {
    private let interval: Duration
    private let last = Mutex<ContinuousClock.Instant?>(nil)

    init(every interval: Duration) {
        self.interval = interval
    }

    /// Whether it may happen now. If so, not again before the interval has passed.
    func allows() -> Bool {
        let now = ContinuousClock.now
        return last.withLock { last in
            if let last, now < last + interval { return false }
            last = now
            return true
        }
    }
}
