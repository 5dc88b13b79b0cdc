public import Foundation
import Postgres
public import Selextract

extension PostgresStore {
    public func usage(
        of user: UUID, from first: UsageDay, through last: UsageDay
    ) async throws -> [UsageAnalytics] {
        try await query(
            """
            select to_jsonb(a) from usage_analytics a
            where user_id = \(user) and date between \(PostgresDate(first)) and \(PostgresDate(last))
            order by date
            """
        ).rows()
    }

    public func add(_ usage: [UsageAddition]) async throws {
        guard !usage.isEmpty else { return }
        try await transaction { try await $0.add(usage) }
    }

    /// In the order of the index, so that two batches never wait for each other.
    static func insertion(of usage: [UsageAddition]) -> PostgresQuery {
        """
        insert into usage_analytics as a (user_id, date, tasks_executed, compute_units_used, api_calls)
        select new.user_id, new.date, sum(new.tasks_executed), sum(new.compute_units_used), sum(new.api_calls)
        from unnest(
            \(usage.map(\.userID)), \(usage.map { PostgresDate($0.date) }), \(usage.map(\.tasksExecuted)),
            \(usage.map(\.computeUnitsUsed)), \(usage.map(\.apiCalls))
        ) as new (user_id, date, tasks_executed, compute_units_used, api_calls)
        join users u on u.id = new.user_id
        group by new.user_id, new.date
        order by new.user_id, new.date
        on conflict (user_id, date) do update set
            tasks_executed = a.tasks_executed + excluded.tasks_executed,
            compute_units_used = a.compute_units_used + excluded.compute_units_used,
            api_calls = a.api_calls + excluded.api_calls
        """
    }
}
