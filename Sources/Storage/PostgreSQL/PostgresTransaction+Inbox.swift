import Billing
import Foundation
import LemonSqueezy
import Postgres

extension PostgresTransaction {
    func insert(_ events: [InboxEvent]) async throws -> [Insertion] {
        guard !events.isEmpty else { return [] }
        // The same bytes twice in one statement cannot both be inserted: each once, with how often it came.
        var counts: [[UInt8]: Int] = [:]
        let unique = events.filter { event in
            counts[event.digest, default: 0] += 1
            return counts[event.digest] == 1
        }
        let rows = try await upsert(InboxColumns(unique), deliveries: unique.map { counts[$0.digest] ?? 1 })
        var stored = Dictionary(
            try rows.map { row in
                let (id, digest, isNew, outcome, reason) = try row.decode(
                    UUID.self, Data.self, Bool.self, Outcome.self, String?.self)
                return (Array(digest), Insertion(id: id, isNew: isNew, outcome: outcome, reason: reason))
            }
        ) { first, _ in first }
        return events.compactMap { event in
            let insertion = stored[event.digest]
            stored[event.digest]?.isNew = false
            return insertion
        }
    }

    private func upsert(_ columns: InboxColumns, deliveries: [Int]) async throws -> PostgresRows {
        try await connection.query(
            """
            insert into webhook_events (
                body, body_sha256, signature, matched_secret, deliveries, received_at, last_received_at,
                event_name, webhook_id, test_mode, store_id, data_type, data_id, kind,
                subscription_id, customer_id, claimed_user_id, email, status, variant_id, order_id, order_item_id,
                product_id, pause_mode, pause_resumes_at, trial_ends_at, renews_at, ends_at, billing_anchor,
                source_created_at,
                source_updated_at, snapshot_second, attributes_sha256, billing_reason, refunded, refunded_at,
                currency, total, refunded_amount, outcome, reason, decoder, attempts, next_attempt_at
            )
            select body, body_sha256, signature, matched_secret, deliveries, moment.at, moment.at,
                event_name, webhook_id, test_mode, store_id, data_type, data_id, kind,
                subscription_id, customer_id, claimed_user_id, email, status, variant_id, order_id, order_item_id,
                product_id, pause_mode, pause_resumes_at, trial_ends_at, renews_at, ends_at, billing_anchor,
                source_created_at,
                source_updated_at, snapshot_second, attributes_sha256, billing_reason, refunded, refunded_at,
                currency, total, refunded_amount, outcome, reason, \(InboxEvent.decoder),
                case outcome when 'failed' then 1 else 0 end,
                case outcome when 'failed' then moment.at + interval '1 minute' end
            from unnest(
                \(columns.body), \(columns.digest), \(columns.signature), \(columns.matchedSecret), \(deliveries),
                \(columns.name), \(columns.webhookID), \(columns.testMode), \(columns.storeID), \(columns.dataType),
                \(columns.dataID), \(columns.kind), \(columns.subscriptionID), \(columns.customerID),
                \(columns.claimedUserID), \(columns.email), \(columns.status), \(columns.variantID),
                \(columns.orderID), \(columns.orderItemID), \(columns.productID), \(columns.pauseMode),
                \(columns.pauseResumesAt), \(columns.trialEndsAt), \(columns.renewsAt), \(columns.endsAt),
                \(columns.billingAnchor),
                \(columns.createdAt), \(columns.updatedAt), \(columns.snapshotSecond), \(columns.attributesDigest),
                \(columns.billingReason), \(columns.refunded), \(columns.refundedAt), \(columns.currency),
                \(columns.total), \(columns.refundedAmount), \(columns.outcome), \(columns.reason)
            ) with ordinality as new (
                body, body_sha256, signature, matched_secret, deliveries, event_name, webhook_id, test_mode, store_id,
                data_type, data_id, kind, subscription_id, customer_id, claimed_user_id, email, status, variant_id,
                order_id, order_item_id, product_id, pause_mode, pause_resumes_at, trial_ends_at, renews_at, ends_at,
                billing_anchor, source_created_at, source_updated_at, snapshot_second, attributes_sha256, billing_reason, refunded,
                refunded_at, currency, total, refunded_amount, outcome, reason, position
            )
            cross join (select coalesce(\(clock?()), clock_timestamp()) as at) as moment
            order by position
            on conflict (body_sha256) do update set
                deliveries = webhook_events.deliveries + excluded.deliveries,
                last_received_at = excluded.last_received_at,
                attempts = webhook_events.attempts
                    + case when webhook_events.outcome = 'failed' then excluded.attempts else 0 end,
                next_attempt_at = case
                    when webhook_events.outcome = 'failed' and excluded.outcome = 'failed'
                    then excluded.last_received_at
                        + least(interval '1 minute' * power(2, least(webhook_events.attempts, 6)), interval '1 hour')
                    else webhook_events.next_attempt_at
                end
            returning id, body_sha256, xmax = 0, outcome, reason
            """)
    }

    func relations(of users: Set<UUID>, matchByEmail: Bool) async throws -> Relations {
        guard !users.isEmpty else { return Relations() }
        let users = Array(users)
        let rows = try await connection.query(
            """
            select customer_id, subscription_id from webhook_events where user_id = any(\(users))
            union
            select customer_id, subscription_id from webhook_events where claimed_user_id = any(\(users))
            union
            select lemon_squeezy_customer_id, lemon_squeezy_subscription_id from user_subscriptions
            where source_updated_at is not null and user_id = any(\(users))
            union
            select e.customer_id, e.subscription_id
            from users u join webhook_events e on e.outcome = 'parked' and lower(e.email) = lower(u.email)
            where \(matchByEmail) and u.id = any(\(users))
            """)
        var relations = Relations()
        for row in rows {
            let (customer, subscription) = try row.decode(String?.self, String?.self)
            if let customer { relations.customers.insert(customer) }
            if let subscription { relations.subscriptions.insert(subscription) }
        }
        return relations
    }

    func save(_ verdicts: [Verdict]) async throws {
        _ = try await connection.query(
            """
            update webhook_events e
            set outcome = v.outcome, reason = v.reason, user_id = v.user_id,
                next_attempt_at = case v.outcome when 'failed' then e.next_attempt_at end
            from unnest(
                \(verdicts.map(\.eventID)), \(verdicts.map(\.outcome)), \(verdicts.map(\.reason)),
                \(verdicts.map(\.userID))
            ) as v (id, outcome, reason, user_id)
            where e.id = v.id
            """)
    }

    func retryable(_ ids: [UUID]?, at now: Date, limit: Int) async throws -> [UUID] {
        guard let ids else {
            return try await connection.query(
                """
                select id from webhook_events where outcome = 'failed' and next_attempt_at <= \(now)
                order by next_attempt_at limit \(limit)
                """
            ).values()
        }
        return try await connection.query(
            "select id from webhook_events where id = any(\(ids)) order by arrival limit \(limit)"
        ).values()
    }

    func relations(ofEvents ids: [UUID]) async throws -> Relations {
        let rows = try await connection.query(
            """
            select customer_id, subscription_id, case kind when 'order' then data_id end from webhook_events
            where id = any(\(ids))
            """
        ).map { try $0.decode(String?.self, String?.self, String?.self) }
        return Relations(
            customers: Set(rows.compactMap(\.0)), subscriptions: Set(rows.compactMap(\.1)),
            orders: Set(rows.compactMap(\.2)))
    }

    func subscriptions(ofOrders orders: Set<String>) async throws -> Set<String> {
        Set(
            try await connection.query(
                """
                select distinct subscription_id from webhook_events
                where order_id = any(\(Array(orders))) and subscription_id is not null
                """
            ).values(String.self))
    }

    func acceptable(_ acceptance: Acceptance, limit: Int, except: [UUID]) async throws -> [UUID] {
        var query = PostgresQuery.StringInterpolation(literalCapacity: 200, interpolationCount: 4)
        query.appendLiteral("select id from webhook_events where outcome = 'quarantined' and erased_at is null")
        if acceptance.mode != .any {
            query.appendLiteral(" and test_mode = ")
            query.appendInterpolation(acceptance.mode == .test)
        }
        if let store = acceptance.storeID {
            query.appendLiteral(" and store_id = ")
            query.appendInterpolation(store)
        }
        query.appendLiteral(" and id <> all(")
        query.appendInterpolation(except)
        query.appendLiteral(") limit ")
        query.appendInterpolation(limit)
        return try await connection.query(PostgresQuery(stringInterpolation: query)).values()
    }

    func eraseEvents(of user: UUID, at now: Date) async throws -> Int {
        try await connection.query(
            """
            with own as (
                select id, customer_id from webhook_events
                where user_id = \(user) or user_id is null and (claimed_user_id = \(user) or deleted_user_id = \(user))
            ), own_subscriptions as (
                select distinct subscription_id from webhook_events where id in (select id from own)
            ), customers as (
                select distinct customer_id from own
                where customer_id is not null and not exists (
                    select from webhook_events o where o.customer_id = own.customer_id and o.user_id <> \(user)
                )
            )
            update webhook_events e set body = '', email = null, erased_at = \(now)
            where e.erased_at is null and (
                e.id in (select id from own)
                or e.user_id is null and e.subscription_id in (select subscription_id from own_subscriptions)
                or e.user_id is null and e.kind = 'other' and (
                    e.customer_id in (select customer_id from customers)
                    or e.data_type = 'customers' and e.data_id in (select customer_id from customers)
                )
            )
            """
        ).affected
    }

    func postpone(_ events: [UUID], at now: Date) async throws {
        _ = try await connection.query(
            """
            update webhook_events set attempts = attempts + 1, next_attempt_at = \(now)
                + least(interval '1 minute' * power(2, least(attempts, 6)), interval '1 hour')
            where id = any(\(events)) and outcome = 'failed'
            """)
    }

    func releasable(limit: Int, matchByEmail: Bool, except: Set<String>) async throws -> Set<String> {
        let rows = try await connection.query(
            """
            select subscription_id from (
                select e.subscription_id
                from plan_variants v join webhook_events e on e.variant_id = v.variant_id
                where e.outcome = 'parked' and e.reason = 'unknown_plan'
                union
                select e.subscription_id
                from subscription_plans p join webhook_events e on e.variant_id = p.lemon_squeezy_variant_id
                where e.outcome = 'parked' and e.reason = 'unknown_plan'
                union
                select e.subscription_id
                from webhook_events e join users u on u.id = e.claimed_user_id
                where e.outcome = 'parked' and e.reason = 'unknown_account'
                union
                select e.subscription_id
                from webhook_events e join users u on lower(u.email) = lower(e.email)
                where \(matchByEmail) and e.outcome = 'parked' and e.reason = 'unknown_account'
            ) as found
            where subscription_id is not null and subscription_id <> all(\(Array(except)))
            order by subscription_id
            limit \(limit)
            """)
        return Set(try rows.values(String.self))
    }
}
