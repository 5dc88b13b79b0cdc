public import Foundation
public import Selextract

/// Further use of an account on a day, to be added to what is stored. No number is negative.
public struct UsageAddition: Sendable, Hashable {
    public var userID: UUID
    /// UTC.
    public var date: UsageDay
    public var tasksExecuted: Int
    public var computeUnitsUsed: Int
    public var apiCalls: Int

    public init(
        userID: UUID, date: UsageDay, tasksExecuted: Int = 0, computeUnitsUsed: Int = 0, apiCalls: Int = 0
    ) {
        self.userID = userID
        self.date = date
        self.tasksExecuted = max(0, tasksExecuted)
        self.computeUnitsUsed = max(0, computeUnitsUsed)
        self.apiCalls = max(0, apiCalls)
    }
}
