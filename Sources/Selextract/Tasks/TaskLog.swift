public import Foundation

/// A line of a task's log, a row of `task_logs`.
public struct TaskLog: Sendable, Codable, Hashable, Identifiable {
    public var id: UUID
    public var taskID: UUID
    public var level: Level
    public var message: String
    /// What belongs to the message, usually an object; nil if nothing does.
    public var metadata: MetadataValue?
    public var timestamp: Date

    /// How much a line matters; ordered.
    public enum Level: String, Sendable, Codable, Hashable, CaseIterable, Comparable {
        case debug, info, warning, error

        public static func < (left: Level, right: Level) -> Bool { left.order < right.order }

        private var order: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warning: 2
            case .error: 3
            }
        }
    }

    /// The columns.
    public enum CodingKeys: String, CodingKey {
        case id
        case taskID = "task_id"
        case level, message, metadata, timestamp
    }

    /// A scraped text may contain U+0000, which PostgreSQL cannot hold: U+FFFD stands in its place, so that no log is
    /// lost for it.
    public init(
        id: UUID, taskID: UUID, level: Level = .info, message: String, metadata: MetadataValue? = nil, timestamp: Date
    ) {
        self.id = id
        self.taskID = taskID
        self.level = level
        self.message = message.withoutNUL
        self.metadata = metadata?.withoutNUL
        self.timestamp = timestamp
    }
}
