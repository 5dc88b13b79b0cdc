public import Foundation

/// A task of an account, a row of `tasks`. Times are UTC. (`Task` is the name of Swift's own type.)
public struct ScrapingTask: Sendable, Codable, Hashable, Identifiable {
    /// The type of a task that says none.
    public static let simpleScraping = "simple_scraping"

    public var id: UUID
    public var userID: UUID
    public var name: String
    public var description: String?
    public var taskType: String
    /// As it is stored, by whatever program; ``TaskConfiguration/init(_:)`` reads it.
    public var config: MetadataValue
    public var status: Status
    /// Of the tasks that wait, the one of the greatest priority is taken first.
    public var priority: Int
    /// Not to be started before; nil: as soon as possible.
    public var scheduledAt: Date?
    public var startedAt: Date?
    /// When it ended, whatever the result.
    public var completedAt: Date?
    /// Compute units that were charged; fewer than ``billedMinutes(at:)`` if the account had fewer left.
    public var computeUnitsConsumed: Int
    public var estimatedComputeUnits: Int
    /// Percent, 0 to 100.
    public var progress: Int
    public var errorMessage: String?
    public var resultFilePath: String?
    public var createdAt: Date
    public var updatedAt: Date

    /// The columns.
    public enum CodingKeys: String, CodingKey {
        case id
        case userID = "user_id"
        case name, description
        case taskType = "task_type"
        case config, status, priority
        case scheduledAt = "scheduled_at"
        case startedAt = "started_at"
        case completedAt = "completed_at"
        case computeUnitsConsumed = "compute_units_consumed"
        case estimatedComputeUnits = "estimated_compute_units"
        case progress
        case errorMessage = "error_message"
        case resultFilePath = "result_file_path"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    /// Defaults are the columns' own; `updatedAt` is `createdAt` if it is nil.
    public init(
        id: UUID, userID: UUID, name: String, description: String? = nil, taskType: String = simpleScraping,
        config: MetadataValue, status: Status = .pending, priority: Int = 0, scheduledAt: Date? = nil,
        startedAt: Date? = nil, completedAt: Date? = nil, computeUnitsConsumed: Int = 0,
        estimatedComputeUnits: Int = 1, progress: Int = 0, errorMessage: String? = nil,
        resultFilePath: String? = nil, createdAt: Date, updatedAt: Date? = nil
    ) {
        self.id = id
        self.userID = userID
        self.name = name
        self.description = description
        self.taskType = taskType
        self.config = config
        self.status = status
        self.priority = priority
        self.scheduledAt = scheduledAt
        self.startedAt = startedAt
        self.completedAt = completedAt
        self.computeUnitsConsumed = computeUnitsConsumed
        self.estimatedComputeUnits = estimatedComputeUnits
        self.progress = progress
        self.errorMessage = errorMessage
        self.resultFilePath = resultFilePath
        self.createdAt = createdAt
        self.updatedAt = updatedAt ?? createdAt
    }
}

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
