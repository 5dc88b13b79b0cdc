import Billing
import Foundation
import LemonSqueezy
import Postgres

extension PostgresTransaction {
    func events(_ relations: Relations, users: Set<UUID>) async throws -> [StoredEvent] {
        var events: [StoredEvent] = []
        if relations != Relations() {
            let rows = try await connection.query(
                """
                \(unescaped: Self.select)
                and subscription_id in (
                    select unnest(\(Array(relations.subscriptions)))
                    union
                    select subscription_id from webhook_events
                    where customer_id = any(\(Array(relations.customers))) and subscription_id is not null
                )
                order by arrival
                """)
            events += try rows.map(Self.event)
            let orders = relations.orders.union(events.compactMap(\.event.orderID))
            if !orders.isEmpty || !relations.customers.isEmpty {
                let rows = try await connection.query(
                    """
                    \(unescaped: Self.select) and kind = 'order'
                    and (order_id = any(\(Array(orders))) or customer_id = any(\(Array(relations.customers))))
                    order by arrival
                    """)
                events += try rows.map(Self.event)
            }
        }
        if !users.isEmpty {
            let rows = try await connection.query(
                """
                \(unescaped: Self.select)
                and (user_id = any(\(Array(users))) or kind = 'order' and claimed_user_id = any(\(Array(users))))
                order by arrival
                """)
            let known = Set(events.map(\.id))
            events += try rows.map(Self.event).filter { !known.contains($0.id) }
        }
        return events
    }

    /// Those of these that the rules read something of. A row that cannot be read is left out: its bytes are what counts.
    func events(ids: [UUID]) async throws -> [UUID: BillingEvent] {
        let rows = try await connection.query("\(unescaped: Self.select) and id = any(\(ids))")
        let events = rows.map { try? Self.event($0) }.compactMap(\.self)
        return Dictionary(uniqueKeysWithValues: events.map { ($0.id, $0.event) })
    }

    private static let select = """
        select id, body_sha256, event_name, data_type, data_id, kind, claimed_user_id, customer_id, subscription_id,
            email, status, variant_id, order_id, order_item_id, product_id, pause_mode, pause_resumes_at, trial_ends_at,
            renews_at, ends_at, billing_anchor, source_created_at, source_updated_at, snapshot_second,
            attributes_sha256,
            billing_reason, refunded, refunded_at, currency, total, refunded_amount, outcome, reason, user_id
        from webhook_events
        where kind in ('subscription', 'invoice', 'order', 'undecodable') and outcome not in ('quarantined', 'rejected')
        """

    private static func event(_ row: PostgresRow) throws -> StoredEvent {
        let (
            id, digest, name, dataType, dataID, kind, claimed, customer, subscription, email, status, variant, order,
            orderItem, product, pauseMode, pauseResumes, trialEnds, renews, ends, anchor, created, updated, second,
            attributes,
            billingReason, refunded, refundedAt, currency, total, refundedAmount, outcome, reason, user
        ) = try row.decode(
            UUID.self, Data.self, EventName.self, String.self, String?.self, InboxEvent.Kind.self, UUID?.self,
            String?.self, String?.self, String?.self, String?.self, String?.self, String?.self, String?.self,
            String?.self, String?.self, Date?.self, Date?.self, Date?.self, Date?.self, Int?.self, Date?.self,
            Date?.self, Int?.self, Data?.self, String?.self, Bool?.self, Date?.self, String?.self, Int?.self, Int?.self,
            Outcome.self, String?.self, UUID?.self)
        var fact = BillingEvent.Fact.none
        if kind == .subscription, let subscription, let status, let created, let updated, let attributes {
            let pause = pauseMode.map { Snapshot.Pause(mode: $0.isEmpty ? nil : $0, resumesAt: pauseResumes) }
            fact = .snapshot(
                Snapshot(
                    subscriptionID: subscription, customerID: customer, productID: product, variantID: variant,
                    orderID: order, orderItemID: orderItem, email: email,
                    status: SubscriptionStatus(rawValue: status), pause: pause, trialEndsAt: trialEnds,
                    renewsAt: renews, endsAt: ends, billingAnchor: anchor, createdAt: created,
                    order: SnapshotOrder(
                        updatedAt: updated, snapshotSecond: second ?? 0, rank: name.snapshotRank,
                        statusRank: SubscriptionStatus(rawValue: status).snapshotRank, digest: Array(attributes))))
        } else if kind == .invoice, let dataID, let subscription, let created, let updated {
            fact = .invoice(
                Invoice(
                    invoiceID: dataID, subscriptionID: subscription, customerID: customer, email: email,
                    billingReason: billingReason, status: status, refunded: refunded ?? false, refundedAt: refundedAt,
                    currency: currency, total: total, refundedAmount: refundedAmount, createdAt: created,
                    updatedAt: updated))
        } else if kind == .order, let dataID {
            fact = .order(
                Order(
                    orderID: dataID, customerID: customer, email: email, status: status, refunded: refunded ?? false,
                    refundedAt: refundedAt, currency: currency, total: total, refundedAmount: refundedAmount,
                    variantID: variant, createdAt: created, updatedAt: updated))
        }
        return StoredEvent(
            event: BillingEvent(
                id: id, digest: Array(digest), name: name, dataType: dataType, claimedUserID: claimed,
                customerID: customer, subscriptionID: subscription, email: email, fact: fact),
            isUndecodable: fact == .none, outcome: outcome, reason: reason, userID: user)
    }
}
