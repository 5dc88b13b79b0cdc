public import Foundation

extension ScrapingTask {
    /// Whether a worker ever took it. Another program may have left `started_at` out.
    public var hasStarted: Bool { startedAt != nil || status == .running || status == .completed }

    /// Seconds from its start to its end, or to `moment` while it runs; never below 0, should a clock have moved back.
    /// nil if it has no start.
    public func duration(at moment: Date) -> TimeInterval? {
        guard let startedAt else { return nil }
        let end = completedAt ?? (isFinished ? updatedAt : moment)
        return max(0, end.timeIntervalSince(startedAt))
    }

    /// Minutes to pay for, 1 compute unit each: started minutes round up, at least 1; 0 for a task that never started.
    public func billedMinutes(at moment: Date) -> Int {
        guard hasStarted else { return 0 }
        // A Date holds moments to a fraction of a microsecond: exactly one minute must not become two.
        let micros = ((duration(at: moment) ?? 0) * 1e6).rounded()
        let minutes = (micros / 60e6).rounded(.up)
        return Int(min(max(minutes, 1), Double(Int32.max)))
    }
}
