import Billing
import Databases
import Foundation

/// What PostgreSQL says in words of its own.
///
/// A `lateral` query with `offset 0` is planned by itself, once a key: it goes by its index even where statistics are
/// missing, as on any database that was just restored. Joined otherwise, the planner may read a whole table.
enum PostgresDialect {
    // Any numbers that no other program uses for its advisory locks.
    static let clockLock = 0x5E1E_C7AD
    static let migrationLock = 0x5E1E_C7AC

    static let lockOfMigrations: SQL = "select pg_advisory_xact_lock(\(migrationLock))"
    static let lockOfSettings: SQL = "select pg_advisory_xact_lock(\(0x5E1E_C7AE))"

    /// Locks that end with the transaction, so that they work through PgBouncer; sorted, so that two transactions never
    /// wait for each other. Gives the names whose locks another transaction holds, if it is not waited for.
    static func lock(_ names: [String], waits: Bool) -> SQL {
        if names.isEmpty { return .nothing }
        let condition: SQL =
            waits ? "pg_advisory_xact_lock(key) is null" : "not pg_try_advisory_xact_lock(key)"
        return """
            select name
            from (
                select distinct name, hashtextextended(name, 0) as key from \(.values(Set(names))) as names (name)
                order by key offset 0
            ) as sorted
            where \(condition)
            """
    }

    /// Each is locked where it is looked up, and they are looked up in the order given.
    static func lockAccounts(_ users: Set<UUID>, waits: Bool) -> SQL {
        """
        select a.id from (select value from \(.values(users)) as given order by value) as u
        cross join lateral (
            select id from users where id = u.value for no key update \(raw: waits ? "" : "skip locked") offset 0
        ) as a
        """
    }

    static func heldSubscriptions(users: Set<UUID>, names: Set<String>) -> SQL {
        """
        select s.user_id, s.lemon_squeezy_subscription_id
        from (
            select id, user_id, lemon_squeezy_subscription_id
            from \("user_subscriptions", as: "own", where: "user_id", in: users)
            union
            select id, user_id, lemon_squeezy_subscription_id
            from \("user_subscriptions", as: "named", where: "lemon_squeezy_subscription_id", in: names)
        ) as s
        left join lateral (
            select id from user_subscriptions where id = s.id for no key update skip locked offset 0
        ) as free on true
        where free.id is null
        """
    }

    /// All events that the rules read of the subscriptions, and their orders. An order may come more than once.
    static func related(to relations: Relations, _ whole: WholeHistories) -> SQL {
        let given = relations.orders.union(relations.purchases)
        return """
            with subscriptions (id) as materialized (\(.subscriptions(of: relations))),
            own (place, order_id) as materialized (
                select e.place, e.order_id from unnest(array(select id from subscriptions)) as s (id)
                \(history(of: "s.id", whole))
            )
            \(events(at: """
                select place from own
                union all
                select e.place
                from unnest(array(
                    select value from \(.values(given)) as given
                    union
                    select order_id from own where order_id is not null
                )) as o (id)
                cross join lateral (
                    select ctid from webhook_events where order_id = o.id and kind = 'order' offset 0
                ) as e (place)
                union all
                select e.place from \(.values(relations.customers)) as customer
                cross join lateral (
                    select ctid from webhook_events
                    where customer_id = customer.value and subscription_id is null and kind = 'order' offset 0
                ) as e (place)
                """))
            """
    }

    /// The events that are stored in these places. Everything that leads to them carries only the place: each step of a
    /// plan is set up anew for every statement, column by column, and an event has more than fifty.
    private static func events(at places: SQL) -> SQL {
        """
        select \(raw: StoredEvent.columns.list) from (\(places)) as found (place)
        cross join lateral (
            select \(raw: StoredEvent.columns.list), arrival from webhook_events where ctid = found.place offset 0
        ) as e
        where \(raw: StoredEvent.readable) order by arrival
        """
    }

    /// Joins, as `e`, the places and orders of a subscription's events that are read: all, or beside its checkpoint the
    /// later ones, those without a date or a decision, and those that it keeps.
    private static func history(of subscription: String, _ whole: WholeHistories) -> SQL {
        let events = SQL(
            raw: "select ctid, order_id, user_id from webhook_events where subscription_id = \(subscription)")
        if whole == .all { return "cross join lateral (\(events) offset 0) as e (place, order_id, user_id)" }
        return """
            left join lateral (
                select subscription_id, read_after, kept from subscription_checkpoints
                where subscription_id = \(raw: subscription) and \(whole.hidesNone) offset 0
            ) as c on true
            cross join lateral (
                (\(events) and c.subscription_id is null offset 0)
                union all
                (\(events) and source_updated_at > c.read_after offset 0)
                union all
                (\(events) and c.subscription_id is not null and source_updated_at is null offset 0)
                union all
                (
                    \(events) and c.subscription_id is not null and source_updated_at <= c.read_after
                        and outcome in ('parked', 'failed')
                    offset 0
                )
                union all
                (
                    select k.* from jsonb_array_elements_text(c.kept) as kept (id)
                    cross join lateral (
                        select ctid, order_id, user_id from webhook_events where id = kept.id::uuid offset 0
                    ) as k
                )
            ) as e (place, order_id, user_id)
            """
    }

    /// The different subscriptions, as a table with this alias and the column `subscription_id`, of the events in which a
    /// column is one of some values: one step in the index of both columns a subscription, whatever the number of its
    /// events. No other index has this order, so that no plan can walk through one.
    static func subscriptions<Value: StoredValue>(
        as alias: String, where column: String, in values: Set<Value>
    ) -> SQL {
        let (key, name) = (SQL(raw: "\(alias)_key.value"), SQL(raw: column))
        return """
            \(.values(values)) as \(raw: alias)_key
            cross join lateral (
                with recursive found (subscription_id) as (
                    select cast('' as varchar)
                    union all
                    select (
                        select subscription_id from webhook_events
                        where (\(name), subscription_id) > (\(key), found.subscription_id) and \(name) <= \(key)
                        order by \(name), subscription_id limit 1
                    )
                    from found where found.subscription_id is not null
                )
                select subscription_id from found where subscription_id <> ''
            ) as \(raw: alias)
            """
    }

    /// Events that count for these accounts, but for those of some subscriptions, and orders whose custom data names one
    /// of the accounts.
    static func events(
        of users: Set<UUID>, besides subscriptions: Set<String>, _ whole: WholeHistories
    ) -> SQL {
        events(
            at: """
                select e.place from \(self.subscriptions(as: "own", where: "user_id", in: users))
                \(history(of: "own.subscription_id", whole))
                where e.user_id = own_key.value and \("own.subscription_id", notIn: subscriptions)
                union all
                select e.place from \(.values(users)) as account
                cross join lateral (
                    select ctid from webhook_events
                    where user_id = account.value and subscription_id is null offset 0
                ) as e (place)
                union all
                select e.place from \(.values(users)) as account
                cross join lateral (
                    select ctid, user_id from webhook_events
                    where claimed_user_id = account.value and subscription_id is null and kind = 'order' offset 0
                ) as e (place, user_id)
                where e.user_id is null or \("e.user_id", notIn: users)
                """)
    }

    /// Parked events with the e-mail of an account `u`, as a table `e`.
    static let parkedByEmail: SQL = """
        cross join lateral (
            select * from webhook_events where lower(email) = lower(u.email) and outcome = 'parked' offset 0
        ) as e
        """

    static func charges(ofSubscriptionsOf users: Set<UUID>) -> SQL {
        """
        \(subscriptions(as: "s", where: "user_id", in: users))
        cross join lateral (select * from compute_unit_charges where line = s.subscription_id offset 0) as c
        """
    }

    static func rows(of table: String, _ subscriptions: SQL) -> SQL {
        """
        (\(subscriptions)) as given (subscription)
        cross join lateral (
            select * from \(raw: table) where subscription_id = given.subscription offset 0
        ) as found
        """
    }
}
