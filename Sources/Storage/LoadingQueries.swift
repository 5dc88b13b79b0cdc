import Billing
import Databases
import Foundation
import Selextract

// The queries that load what a fold needs, written once for both databases.

extension Query where Result == StoredSettings {
    static var settings: Query {
        Query(select: "from billing_settings order by revision desc limit 1")
    }
}

extension Query where Result == Int {
    static var catalogVersion: Query { Query("select version from catalog_version") }
}

/// A variant of `plan_variants`.
struct VariantRow: Sendable {
    var variant: String
    var plan: String
}

extension Query where Result == VariantRow {
    static var variants: Query {
        Query("select variant_id, plan_id from plan_variants") {
            VariantRow(variant: try $0.next(), plan: try $0.next())
        }
    }
}

/// A row of `plan_terms`: what a month of a plan gives from a moment on.
struct TermsRow: Sendable {
    var plan: String
    var terms: PlanCatalog.Terms
}

extension Query where Result == TermsRow {
    static var terms: Query {
        Query("select plan_id, valid_from, monthly_compute_units from plan_terms") { row in
            let plan: String = try row.next()
            let from: Date = try row.next()
            let units: Int = try row.next()
            return TermsRow(
                plan: plan, terms: PlanCatalog.Terms(validFrom: from, monthlyComputeUnits: units.asColumn))
        }
    }
}

extension PlanCatalog {
    init(_ plans: [SubscriptionPlan], _ variants: [VariantRow], _ terms: [TermsRow]) {
        self.init(
            plans: plans, variants: Dictionary(variants.map { ($0.variant, $0.plan) }) { first, _ in first },
            terms: Dictionary(grouping: terms, by: \.plan).mapValues { $0.map(\.terms) })
    }
}

extension [StoredEvent] {
    /// An order may be found in more than one way.
    var eachOnce: [StoredEvent] {
        var seen: Set<UUID> = []
        return filter { seen.insert($0.id).inserted }
    }
}

extension Query where Result == DeliveryBatch.Known {
    /// What is stored of these bytes.
    static func known(_ digests: [[UInt8]]) -> Query {
        Query(.known(digests)) { row in
            DeliveryBatch.Known(
                digest: try row["body_sha256"],
                decision: EventDecision(
                    eventID: try row["id"], outcome: try row["outcome"], reason: try row["reason"],
                    userID: try row["user_id"], isDuplicate: true),
                attempts: try row["attempts"], isErased: try row["erased_at", as: Date?.self] != nil)
        }
    }
}

extension Query where Result == StoredEvent {
    static func related(to relations: Relations, _ whole: WholeHistories = .all) -> Query {
        if relations.isEmpty { return Query(.nothing) { try $0.record() } }
        return Query(
            SQL(
                postgreSQL: { PostgresDialect.related(to: relations, whole) },
                sqlite: { SQLiteDialect.related(to: relations, whole) })
        ) { try $0.record() }
    }

    /// Events that count for these accounts, but for those of some subscriptions, and orders whose custom data names one
    /// of the accounts.
    static func events(
        of users: Set<UUID>, besides subscriptions: Set<String> = [], _ whole: WholeHistories = .all
    ) -> Query {
        Query(
            SQL(
                postgreSQL: { PostgresDialect.events(of: users, besides: subscriptions, whole) },
                sqlite: { SQLiteDialect.events(of: users, besides: subscriptions, whole) })
        ) { try $0.record() }
    }
}

extension Query where Result == Checkpoint {
    static func checkpoints(relatedTo relations: Relations, _ whole: WholeHistories) -> Query {
        checkpoints(of: .subscriptions(of: relations), whole)
    }

    static func checkpoints(of users: Set<UUID>, _ whole: WholeHistories) -> Query {
        checkpoints(
            of: "select subscription_id from \(.subscriptions(as: "own", where: "user_id", in: users))", whole)
    }

    /// - Parameter subscriptions: a query of their ids.
    private static func checkpoints(of subscriptions: SQL, _ whole: WholeHistories) -> Query {
        if whole == .all { return Query(.nothing) { try $0.record() } }
        return Query(
            select: "from \(.rows(of: "subscription_checkpoints", subscriptions)) where \(whole.hidesNone)")
    }
}

extension Query where Result == OperatorAction {
    /// Bindings and matches of the subscriptions that are related, the newest first.
    static func attributions(of relations: Relations) -> Query {
        Query(
            """
            select kind, subscription_id, user_id
            from \(.rows(of: "operator_actions", .subscriptions(of: relations))) where kind in ('bind', 'match')
            order by created_at desc, id desc
            """
        ) { row in
            let kind: OperatorRecord.Kind = try row["kind"]
            let subscription: String = try row["subscription_id"]
            return OperatorAction(
                userID: try row["user_id"],
                kind: kind == .bind ? .bind(subscription: subscription) : .match(subscription: subscription),
                reason: nil)
        }
    }
}

extension Query where Result == UUID {
    static func accounts(withEmails emails: Set<String>) -> Query {
        Query("select u.id from \("users", as: "u", where: "lower(email)", in: emails)")
    }
}

extension Query where Result == AccountRow {
    static func rows(of users: Set<UUID>) -> Query {
        Query(
            """
            select \(raw: AccountRow.columns.list)
            from \("users", as: "u", where: "id", in: users) \(.lastEntry)
            order by u.id
            """
        ) { try $0.record() }
    }
}

extension Query where Result == ChargeRow {
    /// Of these accounts, of these lines, and of the accounts' other subscriptions, whoever had them before.
    static func charges(users: Set<UUID>, lines: Set<BucketSeries>) -> Query {
        let list = ChargeRow.columns.list
        return Query(
            """
            select \(raw: list) from \("compute_unit_charges", as: "own", where: "user_id", in: users)
            union
            select \(raw: list) from \("compute_unit_charges", as: "related", where: "line", in: lines)
            where line <> 'free'
            union
            select \(raw: list) from \(.charges(ofSubscriptionsOf: users))
            order by 1, 2, 3
            """
        ) { try $0.record() }
    }
}

extension Query where Result == SubscriptionRow? {
    /// The rows of these accounts, and those with these ids of the provider's, as far as this program wrote them
    /// (`source` is set); nil for one whose plan does not exist any more.
    static func subscriptions(users: Set<UUID>, names: Set<String>, _ catalog: PlanCatalog) -> Query {
        let list = SubscriptionRow.columns.list
        return Query(
            """
            select \(raw: list) from \("user_subscriptions", as: "own", where: "user_id", in: users)
            where source is not null
            union
            select \(raw: list)
            from \("user_subscriptions", as: "named", where: "lemon_squeezy_subscription_id", in: names)
            where source is not null
            """
        ) { row in
            try row.row(of: "user_subscriptions", key: "id") { try SubscriptionRow(row: &$0, catalog: catalog) }
        }
    }
}

extension Query where Result == GrantAction {
    /// In order of time.
    static func grants(of users: Set<UUID>) -> Query {
        Query(
            select: """
                from \("operator_actions", as: "a", where: "user_id", in: users)
                where kind in ('grant', 'grant_end') order by created_at, id
                """)
    }
}

extension Query where Result == LedgerRecord {
    static func entry(ofTask task: UUID?) -> Query {
        Query(select: "from compute_unit_ledger where task_id = \(task)")
    }
}

/// The provider's ids of a customer and a subscription that one row names.
struct RelationRow: Sendable {
    var customer: String?
    var subscription: String?
}

extension Query where Result == RelationRow {
    static func relations(of users: Set<UUID>, matchByEmail: Bool) -> Query {
        // Of the bare column the greatest would be looked for from the end of the customers' index.
        let named = "(select max(customer_id || '') from webhook_events where subscription_id ="
        return Query(
            """
            select \(raw: named) own.subscription_id), subscription_id
            from \(.subscriptions(as: "own", where: "user_id", in: users))
            union
            select \(raw: named) claiming.subscription_id), subscription_id
            from \(.subscriptions(as: "claiming", where: "claimed_user_id", in: users))
            union
            select customer_id, null
            from \("webhook_events", as: "own_order", where: "user_id", in: users, and: "subscription_id is null")
            union
            select customer_id, null from \(
                "webhook_events", as: "claiming_order", where: "claimed_user_id", in: users,
                and: "subscription_id is null")
            union
            select lemon_squeezy_customer_id, lemon_squeezy_subscription_id
            from \("user_subscriptions", as: "s", where: "user_id", in: users) where source_updated_at is not null
            union
            select e.customer_id, e.subscription_id from \("users", as: "u", where: "id", in: users) \(.parkedByEmail)
            where coalesce(
                (select match_by_email from billing_settings order by revision desc limit 1), \(matchByEmail)
            )
            """
        ) { RelationRow(customer: try $0.next(), subscription: try $0.next()) }
    }
}

extension SQL {
    static let lockOfSettings = SQL(
        postgreSQL: { PostgresDialect.lockOfSettings }, sqlite: { .nothing })

    static func known(_ digests: [[UInt8]]) -> SQL {
        if digests.isEmpty { return .nothing }
        let columns: SQL = "body_sha256, id, outcome, reason, user_id, attempts, erased_at"
        let set = RowSet(columns: [("digest", .bytes)], rows: Set(digests).map { [.bytes($0)] })
        return SQL(
            postgreSQL: {
                """
                select \(columns) from \(set)
                cross join lateral (select \(columns) from webhook_events where body_sha256 = new.digest offset 0) as e
                """
            },
            sqlite: { "select \(columns) from \(set) join webhook_events on body_sha256 = new.digest" })
    }

    /// The ids of the subscriptions named, of those of the customers named, and of those bought with the orders named.
    static func subscriptions(of relations: Relations) -> SQL {
        """
        select value from \(.values(relations.subscriptions)) as given
        union
        select subscription_id from \(.subscriptions(as: "sold", where: "customer_id", in: relations.customers))
        where subscription_id is not null
        union
        select subscription_id from \("webhook_events", as: "bought", where: "order_id", in: relations.orders)
        where subscription_id is not null
        """
    }

    /// The subscriptions, as a table with this alias and the column `subscription_id`, of the events in which a column is
    /// one of some values.
    static func subscriptions<Value: StoredValue>(
        as alias: String, where column: String, in values: Set<Value>
    ) -> SQL {
        SQL(
            postgreSQL: { PostgresDialect.subscriptions(as: alias, where: column, in: values) },
            sqlite: { "\("webhook_events", as: alias, where: column, in: values)" })
    }

    /// Joins the parked events with the e-mail of an account `u`, as a table `e`.
    static let parkedByEmail = SQL(
        postgreSQL: { PostgresDialect.parkedByEmail },
        sqlite: { "join webhook_events e on lower(e.email) = lower(u.email) and e.outcome = 'parked'" })

    /// Whether a text can be compared as an e-mail (R5).
    static func isASCII(_ column: String) -> SQL {
        SQL(
            postgreSQL: { "octet_length(\(raw: column)) = length(\(raw: column))" },
            sqlite: { "length(cast(\(raw: column) as blob)) = length(\(raw: column))" })
    }

    /// The rows of a table that are about subscriptions, as a table.
    ///
    /// - Parameter subscriptions: a query of their ids.
    static func rows(of table: String, _ subscriptions: SQL) -> SQL {
        SQL(
            postgreSQL: { PostgresDialect.rows(of: table, subscriptions) },
            sqlite: { "(select * from \(raw: table) where subscription_id in (\(subscriptions)))" })
    }

    /// Joins the last entry of the ledger, as `l`, of each account `u`.
    static let lastEntry = SQL(
        postgreSQL: {
            // Of an account without an entry the last one would else be looked for from the end of the whole ledger.
            """
            left join lateral (
                select * from compute_unit_ledger
                where (user_id, id) <= (u.id, \(Int.max)) and user_id >= u.id
                order by user_id desc, id desc limit 1
            ) as l on true
            """
        },
        sqlite: {
            """
            left join compute_unit_ledger l on l.id = (select max(id) from compute_unit_ledger where user_id = u.id)
            """
        })

    /// The charges of all subscriptions whose events count for these accounts, as a table.
    static func charges(ofSubscriptionsOf users: Set<UUID>) -> SQL {
        SQL(
            postgreSQL: { PostgresDialect.charges(ofSubscriptionsOf: users) },
            sqlite: {
                """
                compute_unit_charges where line in (
                    select subscription_id from webhook_events where \("user_id", in: users)
                )
                """
            })
    }
}
