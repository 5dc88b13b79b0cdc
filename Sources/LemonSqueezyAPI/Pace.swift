/// How fast the API is called, and how patiently. It allows 300 calls a minute.
public struct Pace: Sendable {
    /// From the start of one call to the start of the next, as long as the API says that enough calls are left.
    public var interval: Duration
    /// How often a GET is repeated that was answered 429 or 5xx, or not at all.
    public var repetitions: Int
    /// Before the first repetition; each time twice as long, unless the answer says how long to wait.
    public var pause: Duration
    /// The longest pause, whatever the answer says.
    public var longestPause: Duration
    /// Seconds without a byte after which a call has failed.
    public var timeout: Double

    public init(
        interval: Duration = .milliseconds(500), repetitions: Int = 6, pause: Duration = .seconds(1),
        longestPause: Duration = .seconds(60), timeout: Double = 30
    ) {
        self.interval = interval
        self.repetitions = repetitions
        self.pause = pause
        self.longestPause = longestPause
        self.timeout = timeout
    }

    /// From one call to the next when so many of the minute's calls are left; nil: the API did not say.
    func interval(remaining: Int?) -> Duration {
        guard let remaining, remaining < 100 else { return interval }
        if remaining < 10 { return interval * 12 }
        return interval * (remaining < 30 ? 4 : 2)
    }

    /// Before a repetition.
    ///
    /// - Parameters:
    ///   - attempt: 0 for the first.
    ///   - asked: seconds that the answer asks for.
    func pause(before attempt: Int, asked: Int?) -> Duration {
        if let asked, asked >= 0 { return min(.seconds(min(asked, 86_400)), longestPause) }
        return min(pause * (1 << min(attempt, 10)), longestPause)
    }
}
