public import Billing
public import Foundation
import GRDB
public import Selextract

extension BucketRow {
    init(row: SQLiteRow) throws {
        let (user, line, begin, end, unlocked, granted, consumed, adjusted, carried) = try row.decode(
            UUID.self, Line.self, Date.self, Date.self, Date.self, Int.self, Int.self, Int.self, Int.self)
        self.init(
            userID: user,
            bucket: Bucket(
                line: line, begin: begin, end: end, unlockedAt: unlocked, granted: granted, consumed: consumed,
                adjusted: adjusted, carried: carried))
    }
}

extension User {
    init(row: SQLiteRow) throws {
        let (id, email, name, google, isActive, tier, units, reset, created, updated) = try row.decode(
            UUID.self, String.self, String?.self, String?.self, Bool.self, String.self, Int.self, Date.self,
            Date.self, Date.self)
        self.init(
            id: id, email: email, fullName: name, googleID: google, isActive: isActive, subscriptionTier: tier,
            computeUnitsRemaining: units.asColumn, computeUnitsResetDate: reset, createdAt: created, updatedAt: updated)
    }
}

extension Entitlement {
    init(row: SQLiteRow) throws {
        let (user, plan, access, subscription, status, until, units, reset, granted) = try row.decode(
            UUID.self, String.self, Bool.self, String?.self, String?.self, Date?.self, Int.self, Date.self, Int.self)
        self.init(
            userID: user, planID: plan, hasAccess: access, lemonSqueezySubscriptionID: subscription, status: status,
            accessUntil: until, computeUnitsRemaining: units, computeUnitsResetDate: reset, computeUnitsGranted: granted
        )
    }
}

extension SQLiteStore {
    static let userColumns = """
        id, email, full_name, google_id, is_active, subscription_tier, compute_units_remaining,
        compute_units_reset_date, created_at, updated_at
        """

    /// The database's clock, as SQL.
    static let moment = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

    /// The account's months begin with it, so a moved clock moves its creation too.
    public func createUser(_ new: NewUser) async throws -> User {
        try new.validate()
        let at = clock?()
        return try await unique { writer in
            let rows = try await writer.query(
                """
                insert into users (
                    id, email, full_name, google_id, compute_units_remaining, compute_units_reset_date, created_at,
                    billing_due_at
                )
                select \(new.id ?? UUID()), \(new.email), \(new.fullName), \(new.googleID),
                    (select monthly_compute_units from subscription_plans where id = 'free'),
                    min(
                        strftime('%Y-%m-%d', moment.at, '+1 month'),
                        strftime('%Y-%m-%d', moment.at, 'start of month', '+2 months', '-1 day')
                    ) || substr(moment.at, 11),
                    moment.at, moment.at
                from (select coalesce(\(at), \(unescaped: Self.moment)) as at) as moment
                returning \(unescaped: Self.userColumns)
                """)
            return try User(row: rows[0])
        }
    }

    public func updateUser(_ id: UUID, _ changes: UserChanges) async throws -> User {
        try changes.validate()
        return try await unique { writer in
            try await writer.query(
                """
                update users set
                    email = coalesce(\(changes.email), email), full_name = coalesce(\(changes.fullName), full_name),
                    google_id = coalesce(\(changes.googleID), google_id),
                    is_active = coalesce(\(changes.isActive), is_active)
                where id = \(id)
                """)
            // `returning` would not show what the trigger writes after it.
            guard let row = try await writer.query(Self.userQuery(id)).first else {
                throw StoreError.notFound("account “\(id.text)”")
            }
            return try User(row: row)
        }
    }

    private func unique<Result>(_ body: (SQLiteWriter) async throws -> Result) async throws -> Result {
        try await write { writer in
            do {
                return try await body(writer)
            } catch let error as DatabaseError where error.isUniqueViolation {
                throw StoreError.accountExists(column: error.message)
            }
        }
    }

    public func user(id: UUID) async throws -> User? {
        try await query(Self.userQuery(id)).map(User.init(row:)).first
    }

    public func user(googleID: String) async throws -> User? {
        try await query("select \(unescaped: Self.userColumns) from users where google_id = \(googleID)")
            .map(User.init(row:)).first
    }

    public func users(email: String) async throws -> [User] {
        try await query(
            "select \(unescaped: Self.userColumns) from users where lower(email) = lower(\(email)) order by created_at, id"
        ).map(User.init(row:))
    }

    public func users(limit: Int, before: Cursor?) async throws -> [User] {
        try await query(
            """
            select \(unescaped: Self.userColumns) from users
            where \(behind: before, in: "users")
            order by created_at desc, id desc limit \(limit)
            """
        ).map(User.init(row:))
    }

    public func entitlement(user: UUID) async throws -> Entitlement? {
        try await query(Self.entitlementQuery(user: user, at: clock?())).map(Entitlement.init(row:)).first
    }

    /// The view `account_entitlements` as it is at a moment; nil: now.
    static func entitlementQuery(user: UUID, at moment: Date?) -> SQLiteQuery {
        """
        select user_id, plan_id, has_access, lemon_squeezy_subscription_id, status, access_until,
            compute_units_remaining, compute_units_reset_date, compute_units_granted
        from (
            \(unescaped: AccountEntitlements.sqlite.head)coalesce(\(moment), \(unescaped: Self.moment))\(
                unescaped: AccountEntitlements.sqlite.tail)
        )
        where user_id = \(user)
        """
    }

    static func bucketsQuery(users: Set<UUID>) -> SQLiteQuery {
        """
        select user_id, line, begins_at, ends_at, unlocked_at, granted, consumed, adjusted, carried
        from compute_unit_buckets where user_id in \(each: users) order by user_id, line, begins_at
        """
    }

    public func buckets(user: UUID) async throws -> [Bucket] {
        try await query(Self.bucketsQuery(users: [user])).map { try BucketRow(row: $0).bucket }
    }
}
