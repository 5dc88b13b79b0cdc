import Billing
import Databases
import Foundation
import Schema
import Selextract

/// What SQLite says in words of its own.
enum SQLiteDialect {
    /// All events that the rules read of the subscriptions, and their orders.
    static func related(to relations: Relations, _ whole: WholeHistories) -> SQL {
        """
        with subscriptions (id) as (\(.subscriptions(of: relations)))
        select \(raw: StoredEvent.columns.list) from webhook_events
        where \(raw: StoredEvent.readable) and id in (
            select w.id from webhook_events w \(checkpointed(whole))
            where w.subscription_id in (select id from subscriptions) and \(raw: isRead)
            union
            select id from webhook_events where kind = 'order' and order_id in (
                select value from \(.values(relations.orders.union(relations.purchases)))
                union
                select order_id from webhook_events where subscription_id in (select id from subscriptions)
            )
            union
            select id from webhook_events where kind = 'order' and \("customer_id", in: relations.customers)
        )
        order by arrival
        """
    }

    /// Events that count for these accounts, but for those of some subscriptions, and orders whose custom data names one
    /// of the accounts.
    static func events(
        of users: Set<UUID>, besides subscriptions: Set<String>, _ whole: WholeHistories
    ) -> SQL {
        """
        select \(raw: StoredEvent.columns.list) from (
            select w.* from webhook_events w \(checkpointed(whole))
            where \("w.user_id", in: users)
                and (w.subscription_id is null or \("w.subscription_id", notIn: subscriptions) and \(raw: isRead))
            union all
            select * from \("webhook_events", as: "claiming", where: "claimed_user_id", in: users)
            where kind = 'order' and (user_id is null or \("user_id", notIn: users))
        ) as e
        where \(raw: StoredEvent.readable) order by arrival
        """
    }

    /// Joins the checkpoint, as `c`, of an event `w`.
    private static func checkpointed(_ whole: WholeHistories) -> SQL {
        """
        left join (select * from subscription_checkpoints where \(whole.hidesNone)) as c
            on c.subscription_id = w.subscription_id
        """
    }

    /// Whether an event `w` is read: all are without a checkpoint `c`; beside it the later ones, those without a date or
    /// a decision, and those that it keeps.
    private static let isRead = """
        (
            c.subscription_id is null or w.source_updated_at is null or w.source_updated_at > c.read_after
            or w.outcome in ('parked', 'failed') or w.id in (select value from json_each(c.kept))
        )
        """

    /// The view `account_entitlements` of one account, as it is at a moment; nil: now. SQLite has no functions with rows,
    /// so the view's own text is taken, around its one place for the moment.
    static func entitlement(of user: UUID, at moment: Date?) -> SQL {
        """
        (select * from (\(raw: view.head)\(moment.map { "\($0)" } ?? .clock)\(raw: view.tail)) where user_id = \(user))
        """
    }

    /// The tasks but for those that lack a text which the condition names at its top: left out without being decoded.
    static func tasks(containing condition: MetadataValue) -> SQL {
        guard case .object(let members) = condition else { return "tasks" }
        var sql: SQL = "(select * from tasks where true"
        for (key, value) in members {
            // Other keys would need quotes within a path's quotes.
            guard let text = value.text, key.utf8.allSatisfy({ isalnum(Int32($0)) != 0 || $0 == UInt8(ascii: "_") })
            else { continue }
            sql += " and json_extract(config, \("$.\"\(key)\"")) = \(text)"
        }
        sql += ") as tasks"
        return sql
    }

    private static let view: (head: String, tail: String) = {
        // As the last migration that speaks of it creates it.
        let sql = Schema.sqlite.map(\.sql).joined(separator: "\n")
        guard let view = sql.range(of: "view account_entitlements as", options: .backwards),
            let end = sql.range(of: ";", range: view.upperBound..<sql.endIndex),
            let place = sql.range(of: "select \(SQL.sqliteClock) as at", range: view.upperBound..<end.lowerBound)
        else { preconditionFailure("the view account_entitlements has no place for the moment") }
        let before = sql.index(place.lowerBound, offsetBy: "select ".count)
        let after = sql.index(before, offsetBy: SQL.sqliteClock.count)
        return (String(sql[view.upperBound..<before]), String(sql[after..<end.lowerBound]))
    }()
}
