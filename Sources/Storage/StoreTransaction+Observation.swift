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

    /// Variants that waiting events have told of and no plan means. Each costs one step in the index, however many events
    /// wait for it.
    public func unmappedVariants() async throws -> [String] {
        try await reads.fetch(
            Query<String>(
                """
                with recursive told (variant_id) as (
                    select min(variant_id) from webhook_events where outcome = 'parked'
                    union all
                    select (
                        select min(e.variant_id) from webhook_events e
                        where e.outcome = 'parked' and e.variant_id > told.variant_id
                    )
                    from told where told.variant_id is not null
                )
                select variant_id from told
                where variant_id is not null
                    and not exists (select 1 from plan_variants v where v.variant_id = told.variant_id)
                    and not exists (
                        select 1 from subscription_plans p where p.lemon_squeezy_variant_id = told.variant_id
                    )
                order by variant_id
                """))
    }
}
