import Billing
import Foundation
import GRDB
import LemonSqueezy

extension SQLiteTransaction {
    func insert(_ events: [InboxEvent]) async throws -> [Insertion] {
        guard !events.isEmpty else { return [] }
        let moment = clock?()
        // The same bytes twice are one row, once: with how often they came.
        var counts: [[UInt8]: Int] = [:]
        let unique = events.filter { event in
            counts[event.digest, default: 0] += 1
            return counts[event.digest] == 1
        }
        let ids = unique.map { _ in UUID() }
        let sets = zip(unique, ids).map { event, id in
            [id.sqliteValue, (counts[event.digest] ?? 1).sqliteValue, moment.sqliteValue] + event.inboxColumns
        }
        let rows = try await connection.transact { try $0.query(Self.upsert, forEach: sets) }
        var stored: [[UInt8]: Insertion] = [:]
        for (row, (event, given)) in zip(rows, zip(unique, ids)) {
            let (id, outcome, reason) = try row.decode(UUID.self, Outcome.self, String?.self)
            stored[event.digest] = Insertion(id: id, isNew: id == given, outcome: outcome, reason: reason)
        }
        return events.compactMap { event in
            let insertion = stored[event.digest]
            stored[event.digest]?.isNew = false
            return insertion
        }
    }

    private static let upsert = """
        insert into webhook_events (
            id, deliveries, received_at, last_received_at, decoder, attempts, next_attempt_at,
            \(InboxEvent.inboxColumnNames.joined(separator: ", "))
        )
        select new.id, new.deliveries, new.at, new.at, \(InboxEvent.decoder), new.outcome = 'failed',
            case new.outcome when 'failed' then strftime('%Y-%m-%dT%H:%M:%fZ', new.at, '+1 minute') end,
            \(InboxEvent.inboxColumnNames.map { "new.\($0)" }.joined(separator: ", "))
        from (
            select ? as id, ? as deliveries, coalesce(?, \(SQLiteStore.moment)) as at,
                \(InboxEvent.inboxColumnNames.map { "? as \($0)" }.joined(separator: ", "))
        ) as new
        where true
        on conflict (body_sha256) do update set
            deliveries = webhook_events.deliveries + excluded.deliveries,
            last_received_at = excluded.last_received_at,
            attempts = webhook_events.attempts
                + case when webhook_events.outcome = 'failed' then excluded.attempts else 0 end,
            next_attempt_at = case
                when webhook_events.outcome = 'failed' and excluded.outcome = 'failed'
                then strftime('%Y-%m-%dT%H:%M:%fZ', excluded.last_received_at,
                    '+' || min(1 << min(webhook_events.attempts, 6), 60) || ' minutes')
                else webhook_events.next_attempt_at
            end
        returning id, outcome, reason
        """

    func relations(of users: Set<UUID>, matchByEmail: Bool) async throws -> Relations {
        guard !users.isEmpty else { return Relations() }
        let rows = try await connection.query(
            """
            select customer_id, subscription_id from webhook_events where user_id in \(each: users)
            union
            select customer_id, subscription_id from webhook_events where claimed_user_id in \(each: users)
            union
            select lemon_squeezy_customer_id, lemon_squeezy_subscription_id from user_subscriptions
            where source_updated_at is not null and user_id in \(each: users)
            union
            select e.customer_id, e.subscription_id
            from users u join webhook_events e on e.outcome = 'parked' and lower(e.email) = lower(u.email)
            where \(matchByEmail) and u.id in \(each: users)
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
        _ = try await connection.transact { connection in
            try connection.query(
                """
                update webhook_events
                set outcome = ?1, reason = ?2, user_id = ?3,
                    next_attempt_at = case ?1 when 'failed' then next_attempt_at end
                where id = ?4
                """,
                forEach: verdicts.map {
                    [$0.outcome.sqliteValue, $0.reason.sqliteValue, $0.userID.sqliteValue, $0.eventID.sqliteValue]
                })
        }
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
            "select id from webhook_events where id in \(each: ids) order by arrival limit \(limit)"
        ).values()
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
            where subscription_id is not null and subscription_id not in \(each: except)
            order by subscription_id
            limit \(limit)
            """)
        return Set(try rows.values(String.self))
    }

    func relations(ofEvents ids: [UUID]) async throws -> Relations {
        let rows = try await connection.query(
            """
            select customer_id, subscription_id, case kind when 'order' then data_id end from webhook_events
            where id in \(each: ids)
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
                where order_id in \(each: orders) and subscription_id is not null
                """
            ).values(String.self))
    }

    func acceptable(_ acceptance: Acceptance, limit: Int, except: [UUID]) async throws -> [UUID] {
        var query = SQLiteQuery.StringInterpolation(literalCapacity: 200, interpolationCount: 4)
        query.appendLiteral("select id from webhook_events where outcome = 'quarantined' and erased_at is null")
        if acceptance.mode != .any {
            query.appendLiteral(" and test_mode = ")
            query.appendInterpolation(acceptance.mode == .test)
        }
        if let store = acceptance.storeID {
            query.appendLiteral(" and store_id = ")
            query.appendInterpolation(store)
        }
        query.appendLiteral(" and id not in ")
        query.appendInterpolation(each: except)
        query.appendLiteral(" limit ")
        query.appendInterpolation(limit)
        return try await connection.query(SQLiteQuery(stringInterpolation: query)).values()
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
                    select 1 from webhook_events o where o.customer_id = own.customer_id and o.user_id <> \(user)
                )
            )
            update webhook_events as e set body = x'', email = null, erased_at = \(now)
            where e.erased_at is null and (
                e.id in (select id from own)
                or e.user_id is null and e.subscription_id in (select subscription_id from own_subscriptions)
                or e.user_id is null and e.kind = 'other' and (
                    e.customer_id in (select customer_id from customers)
                    or e.data_type = 'customers' and e.data_id in (select customer_id from customers)
                )
            )
            returning 1
            """
        ).count
    }
}
