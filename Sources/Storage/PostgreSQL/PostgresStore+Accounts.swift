public import Billing
public import Foundation
import Postgres
public import Selextract

extension BucketRow {
    init(row: PostgresRow) throws {
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
    init(row: PostgresRow) throws {
        let (id, email, name, google, isActive, tier, units, reset, created, updated) = try row.decode(
            UUID.self, String.self, String?.self, String?.self, Bool.self, String.self, Int.self, Date.self,
            Date.self, Date.self)
        self.init(
            id: id, email: email, fullName: name, googleID: google, isActive: isActive, subscriptionTier: tier,
            computeUnitsRemaining: units, computeUnitsResetDate: reset, createdAt: created, updatedAt: updated)
    }
}

extension PostgresStore {
    private static let userColumns = """
        id, email, full_name, google_id, is_active, subscription_tier, compute_units_remaining,
        compute_units_reset_date, created_at, updated_at
        """

    /// The account's months begin with it, so a moved clock moves its creation too.
    public func createUser(email: String, id: UUID?) async throws -> User {
        do {
            let rows = try await pool.query(
                """
                insert into users (id, email, compute_units_remaining, compute_units_reset_date, created_at, billing_due_at)
                select coalesce(\(id), gen_random_uuid()), \(email),
                    (select monthly_compute_units from subscription_plans where id = 'free'),
                    moment.at + interval '1 month', moment.at, moment.at
                from (select coalesce(\(clock?()), now()) as at) as moment
                returning \(unescaped: Self.userColumns)
                """)
            return try User(row: rows[0])
        } catch let error as PostgresError where error.isUniqueViolation {
            throw StoreError.conflict(
                "an account with that \(error.constraint == "users_pkey" ? "id" : "e-mail") exists already")
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }

    public func user(id: UUID) async throws -> User? {
        try await query("select \(unescaped: Self.userColumns) from users where id = \(id)")
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
            where (created_at, id) < (coalesce(\(before?.at), 'infinity'), coalesce(\(before?.id), \(UUID.greatest)))
            order by created_at desc, id desc limit \(limit)
            """
        ).map(User.init(row:))
    }

    public func entitlement(user: UUID) async throws -> Entitlement? {
        try await query("select to_jsonb(e) from \(entitlementsAt: clock?()) as e where user_id = \(user)")
            .rows(Entitlement.self).first
    }

    static func bucketsQuery(users: [UUID]) -> PostgresQuery {
        """
        select user_id, line, begins_at, ends_at, unlocked_at, granted, consumed, adjusted, carried
        from compute_unit_buckets where user_id = any(\(users)) order by user_id, line, begins_at
        """
    }

    public func buckets(user: UUID) async throws -> [Bucket] {
        try await query(Self.bucketsQuery(users: [user])).map { try BucketRow(row: $0).bucket }
    }

    static let ledgerColumns = """
        id, user_id, kind, units, balance, line, begins_at, event_id, task_id, shortfall, reason, created_at
        """

    public func ledger(user: UUID) async throws -> [LedgerRecord] {
        try await query(
            """
            select \(unescaped: Self.ledgerColumns) from compute_unit_ledger where user_id = \(user) order by id
            """
        ).map(LedgerRecord.init(row:))
    }
}

extension PostgresQuery.StringInterpolation {
    /// The view `account_entitlements` as it is at a moment; nil: now.
    mutating func appendInterpolation(entitlementsAt moment: Date?) {
        appendInterpolation(unescaped: "(\(AccountEntitlements.postgreSQL.head)coalesce(")
        appendInterpolation(moment)
        appendInterpolation(unescaped: ", now())\(AccountEntitlements.postgreSQL.tail))")
    }
}

extension LedgerRecord {
    init(row: PostgresRow) throws {
        let (id, user, kind, units, balance, line, begin, event, task, shortfall, reason, created) = try row.decode(
            Int.self, UUID.self, LedgerEntry.Kind.self, Int.self, Int.self, Line.self, Date.self, UUID?.self,
            UUID?.self,
            Int.self, String?.self, Date.self)
        self.init(
            id: id,
            entry: LedgerEntry(
                userID: user, kind: kind, units: units, balance: balance, line: line, begin: begin,
                eventID: event, taskID: task, shortfall: shortfall, reason: reason),
            createdAt: created)
    }
}

extension UUID {
    /// Sorts behind every other: where the first page begins.
    static let greatest = UUID(uuid: (255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255))
}
