package import Billing
import Databases
public import Foundation
import LemonSqueezy
package import Selextract

extension StoreTransaction {
    /// What is stored of the subscriptions and the orders that these observations are about, whatever became of it. Rows
    /// that cannot be read are left out.
    package func stored(alike observations: [InboxEvent]) async throws -> [StoredEvent] {
        let subscriptions = Set(observations.compactMap(\.subscriptionID))
        let orders = Set(observations.compactMap(\.order?.orderID))
        return try await fetch(
            Query<StoredEvent?>(
                """
                select \(raw: StoredEvent.columns.list) from webhook_events
                where \("subscription_id", in: subscriptions) and kind in ('subscription', 'invoice')
                union all
                select \(raw: StoredEvent.columns.list) from webhook_events
                where order_id is not null and \("order_id", in: orders) and kind = 'order'
                """
            ) { try? StoredEvent(row: &$0) }
        ).compactMap(\.self)
    }

    package func users(_ ids: Set<UUID>) async throws -> [User] {
        try await fetch(Query<User>(select: "from users where \("id", in: ids) order by id"))
    }
}

extension Store {
    /// The provider's subscriptions that are active though their present month has been locked since before `grace` ago
    /// (R17), those that were locked first before the others.
    ///
    /// - Parameter grace: seconds.
    public func overdueRenewals(at moment: Date, grace: TimeInterval, limit: Int) async throws -> [String] {
        try await reads.fetch(.overdueRenewals(at: moment, grace: grace, limit: limit))
    }

    /// When a webhook last delivered something; nil: none has yet.
    public func lastDelivery() async throws -> Date? {
        try await reads.fetch(
            Query<Date?>(
                """
                select max(last_received_at) from (
                    select last_received_at from webhook_events where source = 'webhook' order by arrival desc limit 1000
                ) as latest
                """
            ) { try $0.next() }
        ).compactMap(\.self).first
    }

    /// Variants that events have told of and no plan means.
    public func unmappedVariants() async throws -> [String] {
        try await reads.fetch(
            Query<String>(
                """
                select distinct e.variant_id from webhook_events e
                where e.outcome = 'parked' and e.reason = 'unknown_plan' and e.variant_id is not null
                    and not exists (select 1 from plan_variants v where v.variant_id = e.variant_id)
                    and not exists (select 1 from subscription_plans p where p.lemon_squeezy_variant_id = e.variant_id)
                order by e.variant_id
                """))
    }
}

extension Query where Result == String {
    /// Months that are known ahead are stored ahead, so that the stored ones tell at any moment which is locked. Few are:
    /// only of those it is asked since when.
    static func overdueRenewals(at moment: Date, grace: TimeInterval, limit: Int) -> Query {
        Query(
            """
            with locked as materialized (
                select s.user_id, s.lemon_squeezy_subscription_id as id, s.source_created_at
                from user_subscriptions s
                where s.source = 'provider' and s.status = 'active' and not exists (
                    select 1 from compute_unit_buckets b
                    where b.user_id = s.user_id and b.line = s.lemon_squeezy_subscription_id
                        and b.begins_at <= \(moment) and b.ends_at > \(moment) and b.unlocked_at <= \(moment)
                )
            )
            select id from (
                select id, coalesce(
                    (
                        select max(b.ends_at) from compute_unit_buckets b
                        where b.user_id = locked.user_id and b.line = locked.id and b.ends_at <= \(moment)
                    ), source_created_at) as since
                from locked
            ) as overdue
            where since < \(moment.addingTimeInterval(-grace))
            order by since, id limit \(limit)
            """)
    }
}
