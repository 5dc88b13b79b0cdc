import Billing
import Foundation
import LemonSqueezy
import Postgres

extension PostgresTransaction {
    /// Any number that no other program uses for its advisory locks.
    private static let clockLock = 0x5E1E_C7AD

    func holdsClock() async throws -> Bool {
        try await connection.query("select pg_try_advisory_xact_lock(\(Self.clockLock))").values() == [true]
    }

    func dueAccounts(at now: Date, revision: Int, limit: Int, except: [UUID]) async throws -> [UUID] {
        try await connection.query(
            """
            select id from (
                (
                    select id, billing_due_at as at from users where billing_due_at <= \(now) and id <> all(\(except))
                    order by billing_due_at limit \(limit)
                ) union (
                    select id, billing_due_at from users where billing_revision < \(revision) and id <> all(\(except))
                    order by billing_revision, id limit \(limit)
                ) union (
                    select id, billing_due_at from users where billing_valid_from > \(now) and id <> all(\(except))
                    order by billing_valid_from limit \(limit)
                )
            ) as due
            order by at nulls last, id limit \(limit)
            """
        ).values()
    }

    func accounts(after id: UUID?, limit: Int) async throws -> [UUID] {
        guard let id else {
            return try await connection.query("select id from users order by id limit \(limit)").values()
        }
        return try await connection.query("select id from users where id > \(id) order by id limit \(limit)").values()
    }

    func parkedSubscriptions(after id: String?, limit: Int) async throws -> [String] {
        try await connection.query(
            """
            select distinct subscription_id from webhook_events
            where outcome = 'parked' and subscription_id > \(id ?? "")
            order by subscription_id limit \(limit)
            """
        ).values()
    }

    func inbox(after arrival: Int, limit: Int) async throws -> [InboxRow] {
        try await inbox(
            ids: connection.query(
                "select id from webhook_events where arrival > \(arrival) order by arrival limit \(limit)"
            ).values())
    }

    func inbox(ids: [UUID]) async throws -> [InboxRow] {
        let rows = try await connection.query(
            """
            select id, arrival, body, signature, matched_secret, kind, outcome, erased_at is not null
            from webhook_events where id = any(\(ids)) order by arrival
            """
        ).map {
            try $0.decode(
                UUID.self, Int.self, Data.self, String.self, SecretMatch.self, InboxEvent.Kind.self, Outcome.self,
                Bool.self)
        }
        let events = try await events(ids: rows.map(\.0))
        return rows.map { id, arrival, body, signature, secret, kind, outcome, isErased in
            InboxRow(
                id: id, arrival: arrival,
                delivery: Delivery(body: Array(body), signature: signature, matchedSecret: secret), event: events[id],
                kind: kind, outcome: outcome, isErased: isErased)
        }
    }

    /// In the order of the index of those that are left: another would pass by what was read already, again and again.
    func outdated(limit: Int, except: [UUID]) async throws -> [UUID] {
        try await connection.query(
            """
            select id from webhook_events where decoder < 2 and id <> all(\(except))
            order by decoder, arrival limit \(limit)
            """
        ).values()
    }

    func markDecoded(_ ids: [UUID]) async throws {
        _ = try await connection.query(
            "update webhook_events set decoder = \(InboxEvent.decoder) where id = any(\(ids))")
    }

    func redecode(_ events: [UUID: InboxEvent]) async throws {
        let ids = Array(events.keys)
        let columns = InboxColumns(ids.compactMap { events[$0] })
        _ = try await connection.query(
            """
            update webhook_events e set
                event_name = new.event_name, webhook_id = new.webhook_id, test_mode = new.test_mode,
                store_id = new.store_id, data_type = new.data_type, data_id = new.data_id, kind = new.kind,
                subscription_id = new.subscription_id, customer_id = new.customer_id,
                claimed_user_id = new.claimed_user_id, email = new.email, status = new.status,
                variant_id = new.variant_id, order_id = new.order_id, order_item_id = new.order_item_id,
                product_id = new.product_id, pause_mode = new.pause_mode, pause_resumes_at = new.pause_resumes_at,
                trial_ends_at = new.trial_ends_at, renews_at = new.renews_at, ends_at = new.ends_at,
                billing_anchor = new.billing_anchor, decoder = \(InboxEvent.decoder),
                source_created_at = new.source_created_at, source_updated_at = new.source_updated_at,
                snapshot_second = new.snapshot_second, attributes_sha256 = new.attributes_sha256,
                billing_reason = new.billing_reason, refunded = new.refunded, refunded_at = new.refunded_at,
                currency = new.currency, total = new.total, refunded_amount = new.refunded_amount,
                outcome = case
                    when e.kind = new.kind and e.outcome <> 'quarantined' then e.outcome else new.outcome end,
                reason = case when e.kind = new.kind and e.outcome <> 'quarantined' then e.reason else new.reason end
            from unnest(
                \(ids), \(columns.name), \(columns.webhookID), \(columns.testMode), \(columns.storeID),
                \(columns.dataType), \(columns.dataID), \(columns.kind), \(columns.subscriptionID),
                \(columns.customerID), \(columns.claimedUserID), \(columns.email), \(columns.status),
                \(columns.variantID), \(columns.orderID), \(columns.orderItemID), \(columns.productID),
                \(columns.pauseMode), \(columns.pauseResumesAt), \(columns.trialEndsAt), \(columns.renewsAt),
                \(columns.endsAt), \(columns.billingAnchor), \(columns.createdAt), \(columns.updatedAt),
                \(columns.snapshotSecond),
                \(columns.attributesDigest), \(columns.billingReason), \(columns.refunded), \(columns.refundedAt),
                \(columns.currency), \(columns.total), \(columns.refundedAmount), \(columns.outcome), \(columns.reason)
            ) as new (
                id, event_name, webhook_id, test_mode, store_id, data_type, data_id, kind, subscription_id, customer_id,
                claimed_user_id, email, status, variant_id, order_id, order_item_id, product_id, pause_mode,
                pause_resumes_at, trial_ends_at, renews_at, ends_at, billing_anchor, source_created_at, source_updated_at,
                snapshot_second, attributes_sha256, billing_reason, refunded, refunded_at, currency, total,
                refunded_amount, outcome, reason
            )
            where e.id = new.id
            """)
    }
}
