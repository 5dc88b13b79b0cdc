public import Foundation
public import Selextract

extension UserSubscription {
    init(row: SQLiteRow) throws {
        let (
            id, user, plan, provider, status, start, end, cancels, customer, variant, renews, ends, trialEnds,
            pauseMode,
            pauseResumes, sourceUpdated, source, created, updated
        ) = try row.decode(
            UUID.self, UUID.self, String.self, String?.self, String.self, Date.self, Date.self, Bool.self,
            String?.self, String?.self, Date?.self, Date?.self, Date?.self, String?.self, Date?.self, Date?.self,
            UserSubscription.Source?.self, Date.self, Date.self)
        self.init(
            id: id, userID: user, planID: plan, lemonSqueezySubscriptionID: provider, status: status,
            currentPeriodStart: start, currentPeriodEnd: end, cancelAtPeriodEnd: cancels,
            lemonSqueezyCustomerID: customer, lemonSqueezyVariantID: variant, renewsAt: renews, endsAt: ends,
            trialEndsAt: trialEnds, pauseMode: pauseMode, pauseResumesAt: pauseResumes, sourceUpdatedAt: sourceUpdated,
            source: source,
            createdAt: created, updatedAt: updated)
    }
}

extension SQLiteStore {
    static let subscriptionColumns = """
        id, user_id, plan_id, lemon_squeezy_subscription_id, status, current_period_start, current_period_end,
        cancel_at_period_end, lemon_squeezy_customer_id, lemon_squeezy_variant_id, renews_at, ends_at, trial_ends_at,
        pause_mode, pause_resumes_at, source_updated_at, source, created_at, updated_at
        """

    public func subscriptions(user: UUID?, limit: Int, before: Cursor?) async throws -> [UserSubscription] {
        try await query(
            """
            select \(unescaped: Self.subscriptionColumns) from user_subscriptions
            where \(ownedBy: user) and \(behind: before, in: "user_subscriptions")
            order by created_at desc, id desc limit \(limit)
            """
        ).map(UserSubscription.init(row:))
    }

    public func subscription(_ lemonSqueezyID: String) async throws -> UserSubscription? {
        try await query(
            """
            select \(unescaped: Self.subscriptionColumns) from user_subscriptions
            where lemon_squeezy_subscription_id = \(lemonSqueezyID)
            """
        ).map(UserSubscription.init(row:)).first
    }
}
