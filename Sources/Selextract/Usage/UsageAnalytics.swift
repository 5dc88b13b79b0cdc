public import Foundation

/// What an account used on one day, a row of `usage_analytics`; there is one for each account and day (UTC).
public struct UsageAnalytics: Sendable, Codable, Hashable, Identifiable {
    public var id: UUID
    public var userID: UUID
    /// UTC.
    public var date: UsageDay
    /// Tasks that ended on it, whatever their result.
    public var tasksExecuted: Int
    /// Compute units that were charged on it; 1 unit is 1 minute of task run time.
    public var computeUnitsUsed: Int
    /// Calls with an API key.
    public var apiCalls: Int
    public var createdAt: Date

    /// The columns.
    public enum CodingKeys: String, CodingKey {
        case id
        case userID = "user_id"
        case date
        case tasksExecuted = "tasks_executed"
        case computeUnitsUsed = "compute_units_used"
        case apiCalls = "api_calls"
        case createdAt = "created_at"
    }

    public init(
        id: UUID, userID: UUID, date: UsageDay, tasksExecuted: Int = 0, computeUnitsUsed: Int = 0, apiCalls: Int = 0,
        createdAt: Date
    ) {
        self.id = id
        self.userID = userID
        self.date = date
        self.tasksExecuted = tasksExecuted
        self.computeUnitsUsed = computeUnitsUsed
        self.apiCalls = apiCalls
        self.createdAt = createdAt
    }

    /// Whether nothing was used.
    public var isEmpty: Bool { tasksExecuted == 0 && computeUnitsUsed == 0 && apiCalls == 0 }

    /// Counts further use; numbers below zero count as none.
    public mutating func record(tasksExecuted: Int = 0, computeUnitsUsed: Int = 0, apiCalls: Int = 0) {
        self.tasksExecuted += max(0, tasksExecuted)
        self.computeUnitsUsed += max(0, computeUnitsUsed)
        self.apiCalls += max(0, apiCalls)
    }
}
