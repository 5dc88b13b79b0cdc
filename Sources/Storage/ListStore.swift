public import Foundation
public import Selextract

/// The catalogue and lists: what may be read from a replica, and be a moment behind there.
///
/// What decides, and API keys, are read from the primary alone.
public protocol ListStore: Sendable {
    /// All plans, cheapest first.
    func plans() async throws -> [SubscriptionPlan]
    /// Variant id to plan id: the plans' own, and the further ones.
    func variants() async throws -> [String: String]
    /// Newest first.
    func users(limit: Int, before: Cursor?) async throws -> [User]
    /// Newest first; of one account or of all.
    func subscriptions(user: UUID?, limit: Int, before: Cursor?) async throws -> [UserSubscription]
    /// Newest first.
    func eventRecords(_ filter: EventFilter, limit: Int, before: Cursor?) async throws -> [EventRecord]
    /// Newest first, each with the latest of its logs, in one round trip.
    ///
    /// - Parameter logs: how many of each task, 0 or more.
    func tasks(of user: UUID, logs: Int, limit: Int, before: Cursor?) async throws -> [LoggedTask]
    /// A task's logs, newest first. The cursor holds a log's timestamp.
    func logs(task: UUID, of user: UUID, limit: Int, before: Cursor?) async throws -> [TaskLog]
    /// From the first day to the last, both included, oldest first; days without use are missing.
    func usage(of user: UUID, from first: UsageDay, through last: UsageDay) async throws -> [UsageAnalytics]
}

/// Where a page of a list that is ordered by time goes on: the last row of the page before.
public struct Cursor: Sendable, Hashable {
    public var at: Date
    public var id: UUID

    public init(at: Date, id: UUID) {
        self.at = at
        self.id = id
    }
}
