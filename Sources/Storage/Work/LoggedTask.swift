public import Foundation
public import Selextract

/// A task and the latest lines of its log.
public struct LoggedTask: Sendable, Hashable, Identifiable {
    public var task: ScrapingTask
    /// Newest first.
    public var logs: [TaskLog]

    public var id: UUID { task.id }

    public init(task: ScrapingTask, logs: [TaskLog]) {
        self.task = task
        self.logs = logs
    }
}
