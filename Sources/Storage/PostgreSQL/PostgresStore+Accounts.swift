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

extension PostgresStore {
    /// The account's months begin with it, so a moved clock moves its creation too.
    public func createUser(_ new: NewUser) async throws -> User {
        try new.validate()
        return try await unique {
            try await connections.query(
                """
                insert into users as u (
                    id, email, full_name, google_id, compute_units_remaining, compute_units_reset_date, created_at,
                    billing_due_at
                )
                select coalesce(\(new.id), gen_random_uuid()), \(new.email), \(new.fullName), \(new.googleID),
                    (select monthly_compute_units from subscription_plans where id = 'free'),
                    moment.at + interval '1 month', moment.at, moment.at
                from (select coalesce(\(clock?()), now()) as at) as moment
                returning to_jsonb(u)
                """
            ).rows(User.self)[0]
        }
    }

    public func updateUser(_ id: UUID, _ changes: UserChanges) async throws -> User {
        try changes.validate()
        let users = try await unique {
            try await connections.query(
                """
                update users as u set
                    email = coalesce(\(changes.email), email), full_name = coalesce(\(changes.fullName), full_name),
                    google_id = coalesce(\(changes.googleID), google_id),
                    is_active = coalesce(\(changes.isActive), is_active)
                where id = \(id)
                returning to_jsonb(u)
                """
            ).rows(User.self)
        }
        guard let user = users.first else { throw StoreError.notFound("account “\(id.text)”") }
        return user
    }

    private func unique<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await mapped {
            do {
                return try await body()
            } catch let error as PostgresError where error.isUniqueViolation {
                throw StoreError.accountExists(column: error.constraint)
            }
        }
    }

    public func user(id: UUID) async throws -> User? {
        try await query("select to_jsonb(u) from users u where id = \(id)").rows(User.self).first
    }

    public func user(googleID: String) async throws -> User? {
        try await query("select to_jsonb(u) from users u where google_id = \(googleID)").rows(User.self).first
    }

    public func users(email: String) async throws -> [User] {
        try await query(
            "select to_jsonb(u) from users u where lower(email) = lower(\(email)) order by created_at, id"
        ).rows()
    }

    public func users(limit: Int, before: Cursor?) async throws -> [User] {
        try await query(
            """
            select to_jsonb(u) from users u where \(behind: before, in: "users", alias: "u")
            order by created_at desc, id desc limit \(limit)
            """
        ).rows()
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
