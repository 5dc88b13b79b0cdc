extension ScrapingTask {
    /// Where a task stands.
    public enum Status: String, Sendable, Codable, Hashable, CaseIterable {
        case pending, queued, running, completed, failed, cancelled

        /// Those that count against the plan's limit.
        public static let unfinished: [Status] = [.pending, .queued, .running]

        public var isFinished: Bool {
            switch self {
            case .pending, .queued, .running: false
            case .completed, .failed, .cancelled: true
            }
        }

        /// Whether a task may go from here to `next`. A worker may take a task that was never queued, and may find that
        /// it cannot even be started; what is finished stays so.
        public func canBecome(_ next: Status) -> Bool {
            switch (self, next) {
            case (.pending, .queued): true
            case (.pending, .running), (.queued, .running): true
            case (.running, .completed): true
            case (.pending, .failed), (.queued, .failed), (.running, .failed): true
            case (.pending, .cancelled), (.queued, .cancelled), (.running, .cancelled): true
            default: false
            }
        }
    }

    public var isFinished: Bool { status.isFinished }
    /// Pending, queued or running: it counts against the plan's limit.
    public var isUnfinished: Bool { !status.isFinished }
    public var isRunning: Bool { status == .running }
    public var canBeCancelled: Bool { status.canBecome(.cancelled) }
}
