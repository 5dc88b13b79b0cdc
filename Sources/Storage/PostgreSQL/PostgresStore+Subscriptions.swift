public import Foundation
import Postgres
public import Selextract

extension PostgresStore {
    public func subscriptions(user: UUID?, limit: Int, before: Cursor?) async throws -> [UserSubscription] {
        try await query(
            """
            select to_jsonb(s) from user_subscriptions s
            where \(ownedBy: user) and \(behind: before, in: "user_subscriptions", alias: "s")
            order by created_at desc, id desc limit \(limit)
            """
        ).rows()
    }

    public func subscription(_ lemonSqueezyID: String) async throws -> UserSubscription? {
        try await query(
            "select to_jsonb(s) from user_subscriptions s where lemon_squeezy_subscription_id = \(lemonSqueezyID)"
        ).rows(UserSubscription.self).first
    }
}
