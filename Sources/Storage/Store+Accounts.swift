public import Billing
import Databases
public import Foundation
public import Selextract

extension Store {
    /// Creates an account. Its months begin with its creation, which is therefore by the store's clock, also if tests
    /// have replaced that.
    ///
    /// - Throws: `StoreError.conflict` if the e-mail (in capitals or not), the Google account or the id is taken, or for
    ///   what a column cannot hold.
    public func createUser(_ new: NewUser) async throws -> User {
        try new.validate()
        return try await unique { transaction in
            let now = try await transaction.now()
            let id = new.id ?? UUID()
            try await transaction.refuse(email: new.email, besides: id)
            let (_, users) = try await transaction.fetch(
                Query<Void>(
                    """
                    insert into users (
                        id, email, full_name, google_id, compute_units_remaining, compute_units_reset_date, created_at,
                        billing_due_at
                    )
                    select \(id), \(new.email), \(new.fullName), \(new.googleID), monthly_compute_units,
                        \(now.adding(months: 1)), \(now), \(now)
                    from subscription_plans where id = 'free'
                    """), .user(id: id))
            return users[0]
        }
    }

    /// Changes what is given; nil leaves as it is. Who is made inactive can do nothing from now on.
    ///
    /// - Throws: `StoreError.notFound`; as `createUser`.
    public func updateUser(_ id: UUID, _ changes: UserChanges) async throws -> User {
        try changes.validate()
        return try await unique { transaction in
            if let email = changes.email { try await transaction.refuse(email: email, besides: id) }
            let (_, users) = try await transaction.fetch(
                Query<Void>(
                    """
                    update users set
                        email = coalesce(\(changes.email), email), full_name = coalesce(\(changes.fullName), full_name),
                        google_id = coalesce(\(changes.googleID), google_id),
                        is_active = coalesce(\(changes.isActive), is_active)
                    where id = \(id)
                    """), .user(id: id))
            guard let user = users.first else { throw StoreError.notFound("account “\(id.text)”") }
            return user
        }
    }

    private func unique(_ body: @Sendable (StoreTransaction) async throws -> User) async throws -> User {
        try await transaction { transaction in
            do {
                return try await body(transaction)
            } catch let violation as ConstraintViolation where violation.kind == .unique {
                throw StoreError.accountExists(column: violation.name)
            }
        }
    }

    public func user(id: UUID) async throws -> User? { try await reads.fetch(.user(id: id)).first }

    /// By the id that Google gives a person who logs in there.
    public func user(googleID: String) async throws -> User? {
        try await reads.fetch(Query<User>(select: "from users where google_id = \(googleID)")).first
    }

    /// Case-insensitive; more than one is possible.
    public func users(email: String) async throws -> [User] {
        try await reads.fetch(
            Query<User>(select: "from users where lower(email) = lower(\(email)) order by created_at, id"))
    }

    /// By the provider's id.
    public func subscription(_ lemonSqueezyID: String) async throws -> UserSubscription? {
        try await reads.fetch(
            Query<UserSubscription>(
                select: "from user_subscriptions where lemon_squeezy_subscription_id = \(lemonSqueezyID)")
        ).first
    }

    /// What `account_entitlements` says, now.
    public func entitlement(user: UUID) async throws -> Entitlement? {
        try await reads.fetch(
            Query<Entitlement>(select: "from \(.entitlement(of: user, at: driver.clock?())) as e")
        ).first
    }

    public func buckets(user: UUID) async throws -> Listing<Bucket> {
        Listing(try await reads.fetch(Query<BucketRow>.buckets(of: [user]).each).map { $0.map(\.bucket) })
    }

    /// Oldest first.
    public func ledger(user: UUID) async throws -> Listing<LedgerRecord> {
        try await reads.list(
            Query<LedgerRecord>(select: "from compute_unit_ledger where user_id = \(user) order by id"))
    }

    /// Newest first.
    ///
    /// - Parameter before: the id of the entry that the page before ended with; nil: there is none.
    public func ledger(user: UUID, limit: Int, before: Int?) async throws -> Listing<LedgerRecord> {
        let isBehind: SQL = if let before { "id < \(before)" } else { "true" }
        return try await reads.list(
            Query<LedgerRecord>(
                select: """
                    from compute_unit_ledger where user_id = \(user) and \(isBehind)
                    order by id desc limit \(limit)
                    """))
    }

    /// What another program has written into an account's units since the ledger's last line (R15); nil: nothing.
    public func pendingUnits(user: UUID) async throws -> PendingUnits? {
        try await reads.fetch(
            Query<PendingUnits>(
                """
                select l.balance, u.compute_units_remaining, u.updated_at
                from users u
                join compute_unit_ledger l
                    on l.id = (select max(id) from compute_unit_ledger where user_id = u.id)
                where u.id = \(user) and l.balance <> u.compute_units_remaining
                """
            ) { PendingUnits(balance: try $0.next(), remaining: try $0.next(), at: try $0.next()) }
        ).first
    }

    /// What operators did about an account or a subscription, oldest first.
    public func operatorRecords(user: UUID?, subscription: String?) async throws -> Listing<OperatorRecord> {
        try await reads.list(
            Query<OperatorRecord>(
                select: """
                    from operator_actions
                    where user_id = \(user) or subscription_id = \(subscription)
                        or kind in ('discard', 'retry', 'fetch') and subscription_id in (
                            select lemon_squeezy_subscription_id from user_subscriptions where user_id = \(user)
                        )
                    order by created_at, id
                    """))
    }

    /// An account with all that its pages show, in one round trip; the day is UTC's, the moment the database's.
    public func overview(user: UUID) async throws -> AccountOverview? {
        let clock = driver.clock?()
        let rows = try await reads.fetch(
            Query<OverviewRow>(
                """
                select moment.at, \(raw: User.columns.list(of: "u")), \(raw: SubscriptionPlan.columns.list(of: "p")),
                    \(raw: Entitlement.columns.list(of: "e")), \(.unfinishedTasks),
                    \(raw: UsageAnalytics.columns.list(of: "a")), \(raw: UserSubscription.columns.list(of: "s"))
                from (select \(clock.map { "\($0)" } ?? .clock) as at) as moment
                cross join users u
                join \(.entitlement(of: user, at: clock)) as e on e.user_id = u.id
                join subscription_plans p on p.id = e.plan_id
                left join usage_analytics a on a.user_id = u.id and a.date = \(.day(of: "moment.at"))
                left join user_subscriptions s on s.user_id = u.id
                where u.id = \(user)
                """, OverviewRow.init(row:)))
        return rows.first.map { first in
            AccountOverview(
                user: first.user, plan: first.plan, entitlement: first.entitlement,
                subscriptions: rows.compactMap(\.subscription), usage: usageDatabase == nil ? first.usage : nil,
                unfinishedTasks: first.unfinishedTasks, at: first.at)
        }
    }
}

extension StoreTransaction {
    /// E-mails that differ in letter case are one account's. Only this program holds to that: no index may stop another
    /// program.
    ///
    /// - Throws: `StoreError.conflict` if another account has it.
    fileprivate func refuse(email: String, besides id: UUID) async throws {
        let (_, others) = try await fetch(
            Query<Void>(.lock(ofEmail: email)),
            Query<UUID>("select id from users where lower(email) = lower(\(email)) and id <> \(id)"))
        if !others.isEmpty { throw StoreError.accountExists(column: "email") }
    }
}

extension Query where Result == User {
    static func user(id: UUID) -> Query { Query(select: "from users where id = \(id)") }
}

extension Query where Result == BucketRow {
    static func buckets(of users: Set<UUID>) -> Query {
        Query(
            select: """
                from \("compute_unit_buckets", as: "b", where: "user_id", in: users) order by user_id, line, begins_at
                """)
    }
}

extension SQL {
    /// Waits for whoever is giving an account the same e-mail; on SQLite whoever writes is alone.
    fileprivate static func lock(ofEmail email: String) -> SQL {
        SQL(postgreSQL: { PostgresDialect.lock(["email:\(email.lowercased())"], waits: true) }, sqlite: { .nothing })
    }

    /// How many tasks of the account `u` are pending, queued or running.
    static let unfinishedTasks: SQL = """
        (
            select count(*) from tasks where user_id = u.id and status in ('pending', 'queued', 'running')
        ) as unfinished_tasks
        """

    /// What the view `account_entitlements` says of one account, at a moment; nil: now.
    fileprivate static func entitlement(of user: UUID, at moment: Date?) -> SQL {
        SQL(
            postgreSQL: { "account_entitlement(\(user), coalesce(\(moment), now()))" },
            sqlite: { SQLiteDialect.entitlement(of: user, at: moment) })
    }

    /// The day of a moment, UTC.
    fileprivate static func day(of moment: String) -> SQL {
        SQL(
            postgreSQL: { "(\(raw: moment) at time zone 'utc')::date" },
            sqlite: { "substr(\(raw: moment), 1, 10)" })
    }
}

/// Units that another program has written, and that the ledger does not tell yet: the clock takes them over.
public struct PendingUnits: Sendable, Hashable {
    /// After the ledger's last line.
    public var balance: Int
    /// `users.compute_units_remaining`.
    public var remaining: Int
    /// When the account's row was written last, UTC.
    public var at: Date
}

/// All that an account's pages show, with one of its subscriptions.
private struct OverviewRow: Sendable {
    var at: Date
    var user: User
    var plan: SubscriptionPlan
    var entitlement: Entitlement
    var unfinishedTasks: Int
    var usage: UsageAnalytics?
    var subscription: UserSubscription?

    init(row: inout RowReader) throws {
        at = try row["at"]
        user = try row.record(User.self)
        plan = try row.record(SubscriptionPlan.self)
        entitlement = try row.record(Entitlement.self)
        unfinishedTasks = try row["unfinished_tasks"]
        if try row.isNull("id") {
            row.skip(UsageAnalytics.columns)
        } else {
            usage = try row.record(UsageAnalytics.self)
        }
        subscription = try row.isNull("id") ? nil : try row.record(UserSubscription.self)
    }
}

extension StoreError {
    /// - Parameter column: what the database says of the unique column that holds the value already.
    static func accountExists(column: String) -> StoreError {
        let what =
            if column.contains("email") { "e-mail" } else if column.contains("google") { "Google id" } else { "id" }
        return .conflict("an account with that \(what) exists already")
    }
}
