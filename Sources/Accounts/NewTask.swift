import Databases
public import Foundation
public import Selextract
import Storage

/// A task that is to be created.
public struct NewTask: Sendable, Hashable {
    /// Chosen by the caller, so that creating it a second time is refused.
    public var id: UUID
    public var name: String
    public var description: String?
    public var taskType: String
    public var configuration: TaskConfiguration
    /// The greater comes first.
    public var priority: Int
    /// Not to be started before; nil: as soon as possible.
    public var scheduledAt: Date?
    public var estimatedComputeUnits: Int

    public init(
        id: UUID = UUID(), name: String, description: String? = nil, taskType: String = ScrapingTask.simpleScraping,
        configuration: TaskConfiguration, priority: Int = 0, scheduledAt: Date? = nil, estimatedComputeUnits: Int = 1
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.taskType = taskType
        self.configuration = configuration
        self.priority = priority
        self.scheduledAt = scheduledAt
        self.estimatedComputeUnits = estimatedComputeUnits
    }

    /// - Throws: `InvalidTaskConfiguration`; `StoreError.conflict` for what a column cannot hold.
    func validate() throws {
        try configuration.validate()
        try name.fitting(1...255, "a task's name")
        try taskType.fitting(1...50, "a task's type")
        try description?.fitting(0...1_000_000, "a task's description")
        guard Int(Int32.min)...Int(Int32.max) ~= priority else {
            throw StoreError.conflict("a task's priority is a number of 32 bits")
        }
        guard 0...Int(Int32.max) ~= estimatedComputeUnits else {
            throw StoreError.conflict("a task's estimated compute units are 0 or more")
        }
    }

    func task(of user: UUID, at moment: Date) -> ScrapingTask {
        ScrapingTask(
            id: id, userID: user, name: name, description: description, taskType: taskType,
            config: configuration.value, priority: priority, scheduledAt: scheduledAt,
            estimatedComputeUnits: estimatedComputeUnits, createdAt: moment)
    }
}
