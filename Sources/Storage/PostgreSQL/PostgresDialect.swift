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

    static let lockOfMigrations: SQL = "select pg_advisory_xact_lock(\(0x5E1E_C7AC))"
    static let lockOfSettings: SQL = "select pg_advisory_xact_lock(\(0x5E1E_C7AE))"

    /// Locks that end with the transaction, so that they work through PgBouncer; sorted, so that two transactions never
    /// wait for each other.
    static func lock(_ keys: [String]) -> SQL {
        if keys.isEmpty { return .nothing }
        return """
            select pg_advisory_xact_lock(key)
            from (
                select distinct hashtextextended(name, 0) as key from \(.values(Set(keys))) as names (name) order by key
            ) as sorted
            """
    }

    /// All events that the rules read of the subscriptions, and their orders. An order may come more than once.
    static func related(to relations: Relations) -> SQL {
        let columns = StoredEvent.columns.list(of: "e") + ", e.arrival"
        return """
            with subscriptions (id) as materialized (\(.subscriptions(of: relations)))
            select \(raw: StoredEvent.columns.list) from (
                select \(raw: columns)
                from unnest(array(select id from subscriptions)) as s (id)
                cross join lateral (select * from webhook_events where subscription_id = s.id offset 0) as e
                union all
                select \(raw: columns)
                from unnest(array(
                    select value from \(.values(relations.orders.union(relations.purchases))) as given
                    union
                    select e.order_id
                    from unnest(array(select id from subscriptions)) as s (id)
                    cross join lateral (select order_id from webhook_events where subscription_id = s.id offset 0) as e
                    where e.order_id is not null
                )) as o (id)
                cross join lateral (select * from webhook_events where order_id = o.id offset 0) as e
                where e.kind = 'order'
                union all
                select \(raw: columns) from \("webhook_events", as: "e", where: "customer_id", in: relations.customers)
                where e.kind = 'order'
            ) as e
            where \(raw: StoredEvent.readable) order by arrival
            """
    }

    static func charges(ofSubscriptionsOf users: Set<UUID>) -> SQL {
        """
        unnest(array(
            select subscription_id from \("webhook_events", as: "e", where: "user_id", in: users)
            where subscription_id is not null
        )) as s (id)
        cross join lateral (select * from compute_unit_charges where line = s.id offset 0) as c
        """
    }
}
