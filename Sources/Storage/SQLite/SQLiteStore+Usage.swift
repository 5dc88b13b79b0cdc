public import Foundation
public import Selextract

extension SQLiteStore {
    static func usageQuery(of user: UUID, from first: UsageDay, through last: UsageDay) -> SQLiteQuery {
        """
        select id, user_id, date, tasks_executed, compute_units_used, api_calls, created_at from usage_analytics
        where user_id = \(user) and date between \(first) and \(last) order by date
        """
    }

    public func usage(
        of user: UUID, from first: UsageDay, through last: UsageDay
    ) async throws -> [UsageAnalytics] {
        try await query(Self.usageQuery(of: user, from: first, through: last)).map(UsageAnalytics.init(row:))
    }

    public func add(_ usage: [UsageAddition]) async throws {
        guard !usage.isEmpty else { return }
        try await write { writer in try await writer.transact { try $0.add(usage) } }
    }
}
