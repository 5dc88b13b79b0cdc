package import Billing
import Databases
public import Foundation

// What another program put into `user_subscriptions`, and what it wrote over rows of ours (R19, R21).

extension StoreTransaction {
    /// Rows that name a subscription of the provider's and have no event behind them: those of one account follow each
    /// other.
    package func adoptable(limit: Int, except: [UUID]) async throws -> [UUID] {
        try await fetch(
            Query<UUID>(
                """
                select id from user_subscriptions s
                where source is null and lemon_squeezy_subscription_id is not null and \(raw: Self.hasNoEvent)
                    and \("id", notIn: except)
                order by user_id, id limit \(limit)
                """))
    }

    /// An event that waits, or was not accepted, has not spoken for the row yet.
    private static let hasNoEvent = """
        lemon_squeezy_subscription_id <> '' and not exists (
            select 1 from webhook_events e
            where e.subscription_id = s.lemon_squeezy_subscription_id
                and (e.outcome in ('applied', 'unchanged') or e.source = 'adopted')
        )
        """

    /// Waits for the accounts that have these rows, and for what concerns the subscriptions, and locks them until the
    /// transaction ends.
    ///
    /// - Returns: all subscriptions of these accounts, and the ids of those rows that can still be adopted.
    package func lockForeign(
        _ ids: [UUID]
    ) async throws -> (rows: [ForeignSubscription], adoptable: Set<UUID>) {
        let named = try await fetch(
            Query<ForeignSubscription>(
                """
                select \(raw: ForeignSubscription.columns.list) \(raw: ForeignSubscription.tables)
                where \("s.id", in: ids)
                """, ForeignSubscription.init(row:)))
        let users = Set(named.map(\.userID))
        // All that a fold of them locks, in its order: first the names, then the accounts.
        _ = try await lockRelated(
            try await relations(of: users, matchByEmail: false)
                .union(Relations(subscriptions: Set(named.compactMap(\.subscriptionID)))))
        let (_, rows, adoptable) = try await fetch(
            .locking(accounts: users, waits: true),
            Query<ForeignSubscription>(
                """
                select \(raw: ForeignSubscription.columns.list) \(raw: ForeignSubscription.tables)
                where \("s.user_id", in: users) order by s.id
                """, ForeignSubscription.init(row:)),
            Query<UUID>(
                """
                select id from user_subscriptions s
                where \("id", in: ids) and source is null and \(raw: Self.hasNoEvent)
                """))
        return (rows, Set(adoptable))
    }

    /// The rows of other programs that name no subscription of the provider's, for a plan that is not free.
    package func complimentary() async throws -> [ForeignSubscription] {
        try await fetch(
            Query<ForeignSubscription>(
                """
                select \(raw: ForeignSubscription.columns.list) \(raw: ForeignSubscription.tables)
                where s.source is null and coalesce(s.lemon_squeezy_subscription_id, '') = '' and s.plan_id <> 'free'
                order by s.id
                """, ForeignSubscription.init(row:)))
    }

    /// The rows that a person names: by the row's id, or by the provider's.
    package func foreign(named name: String) async throws -> [UUID] {
        let id = UUID(uuidString: name)
        return try await fetch(
            Query<UUID>(
                "select id from user_subscriptions where id = \(id) or lemon_squeezy_subscription_id = \(name)"))
    }

    /// Records that an operator gives the plan of a row. The row is the grant's own from then on.
    package func insert(grant row: ForeignSubscription, reason: String, by operator: Operator) async throws {
        try await run(
            """
            insert into operator_actions (
                id, kind, user_id, plan_id, until, reason, acted_by, acted_from, created_at
            )
            values (
                \(row.id), 'grant', \(row.userID), \(row.planID), \(row.cancelsAtPeriodEnd ? row.periodEnd : nil),
                \(reason), \(`operator`.name), \(`operator`.origin), \(try await now())
            )
            """)
    }

    // MARK: Rows of ours that were written over

    /// Accounts of which another program has changed a subscription's row.
    package func overwritten(limit: Int, except: [UUID]) async throws -> [UUID] {
        try await fetch(
            Query<UUID>(
                """
                select distinct user_id from subscription_overwrites
                where put_right_at is null and \("user_id", notIn: except) order by user_id limit \(limit)
                """))
    }

    /// Says of what was written over these accounts' rows that they were computed again. To be called before that, so
    /// that what is written meanwhile is seen.
    package func markPutRight(of users: Set<UUID>, at now: Date) async throws {
        try await run(
            """
            update subscription_overwrites set put_right_at = \(now)
            where put_right_at is null and \("user_id", in: users)
            """)
    }
}

extension Store {
    /// What other programs wrote over an account's subscriptions, in order.
    public func overwrites(of user: UUID) async throws -> [SubscriptionOverwrite] {
        try await reads.fetch(
            Query<SubscriptionOverwrite>(
                select: "from subscription_overwrites where user_id = \(user) order by id"))
    }
}
