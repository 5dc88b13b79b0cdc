public import Foundation

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

        /// Whether a task may go from here to `next`. A worker may take a task that was never queued, and a task that
        /// cannot be started fails without having run. A finished task stays as it is.
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

/// A change of status that a task's present status does not allow.
public struct IllegalTransition: Error, Sendable, Hashable, CustomStringConvertible {
    public let from: ScrapingTask.Status
    public let to: ScrapingTask.Status

    public init(from: ScrapingTask.Status, to: ScrapingTask.Status) {
        self.from = from
        self.to = to
    }

    public var description: String { "a task that is \(from.rawValue) cannot become \(to.rawValue)" }
}

/// Why a task's progress was left as it is.
public enum ProgressError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Only a running task makes progress.
    case notRunning(ScrapingTask.Status)
    /// Percent are 0 to 100.
    case outOfRange(Int)

    public var description: String {
        switch self {
        case .notRunning(let status): "a task that is \(status.rawValue) makes no progress"
        case .outOfRange(let percent): "progress is 0 to 100 percent, not \(percent)"
        }
    }
}

// Each throws `IllegalTransition` and changes nothing if the task's status does not allow it. What a task is charged is
// decided with the account's balance at hand, so `computeUnitsConsumed` is left alone here.
extension ScrapingTask {
    /// From pending to queued: it waits for a worker.
    public mutating func queue(at moment: Date) throws(IllegalTransition) {
        try become(.queued, at: moment)
    }

    /// From pending or queued to running: a worker took it.
    public mutating func start(at moment: Date) throws(IllegalTransition) {
        try become(.running, at: moment)
        startedAt = moment
    }

    /// From running to completed, with 100 percent of progress.
    public mutating func complete(at moment: Date, resultFilePath: String? = nil) throws(IllegalTransition) {
        try become(.completed, at: moment)
        completedAt = moment
        progress = 100
        self.resultFilePath = resultFilePath ?? self.resultFilePath
    }

    /// From any unfinished status to failed. U+0000, which PostgreSQL cannot hold, becomes U+FFFD in the message.
    public mutating func fail(at moment: Date, message: String) throws(IllegalTransition) {
        try become(.failed, at: moment)
        completedAt = moment
        errorMessage = message.withoutNUL
    }

    /// From any unfinished status to cancelled.
    public mutating func cancel(at moment: Date) throws(IllegalTransition) {
        try become(.cancelled, at: moment)
        completedAt = moment
    }

    /// Records how far a running task is, in percent, 0 to 100.
    ///
    /// - Throws: `ProgressError` if it is not running, or `percent` is out of range; then nothing is changed.
    public mutating func report(progress percent: Int, at moment: Date) throws(ProgressError) {
        guard isRunning else { throw .notRunning(status) }
        guard (0...100).contains(percent) else { throw .outOfRange(percent) }
        progress = percent
        updatedAt = moment
    }

    private mutating func become(_ next: Status, at moment: Date) throws(IllegalTransition) {
        guard status.canBecome(next) else { throw IllegalTransition(from: status, to: next) }
        status = next
        updatedAt = moment
    }
}
