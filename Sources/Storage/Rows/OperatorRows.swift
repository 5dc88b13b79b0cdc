public import Billing
public import Databases
public import Foundation

// Rows of `operator_actions` and `billing_settings`.

extension OperatorRecord.Kind: StoredValue {}
extension Acceptance.Mode: StoredValue {}
extension UpgradeUnits: StoredValue {}
extension DowngradeUnits: StoredValue {}
extension RefundUnits: StoredValue {}

/// An operator's action that is to be recorded. Each kind fills the columns that it has values for.
struct NewActionRow: Sendable {
    var action: OperatorAction
    var at: Date

    static let table = Table<NewActionRow>(
        "operator_actions", key: ["id"],
        [
            Column("kind", \.kind), Column("user_id", \.action.userID), Column("subscription_id", \.subscription),
            Column("units", \.adjustment?.units), Column("line", \.adjustment?.line),
            Column("begins_at", \.adjustment?.begin), Column("plan_id", \.grant?.plan), Column("until", \.grant?.until),
            Column("reason", \.action.reason), Column("acted_by", \.action.by?.name),
            Column("acted_from", \.action.by?.origin), Column("form", \.action.by?.form), Column("created_at", \.at),
        ])

    private var kind: String {
        switch action.kind {
        case .bind: "bind"
        case .adjust: "adjust"
        case .match: "match"
        case .grant: "grant"
        case .endGrants: "grant_end"
        }
    }

    private var subscription: String? {
        switch action.kind {
        case .bind(let subscription), .match(let subscription): subscription
        case .adjust, .grant, .endGrants: nil
        }
    }

    private var adjustment: (units: Int, line: BucketSeries, begin: Date)? {
        if case .adjust(let units, let line, let begin) = action.kind { (units, line, begin) } else { nil }
    }

    private var grant: (plan: String, until: Date?)? {
        if case .grant(let plan, let until) = action.kind { (plan, until) } else { nil }
    }
}

extension GrantAction: Record {
    static let tableName = "operator_actions"
    static let columns: Columns = ["id", "user_id", "kind", "plan_id", "until", "created_at"]

    init(row: inout RowReader) throws {
        let (id, user) = (try row["id", as: UUID.self], try row["user_id", as: UUID.self])
        let begins = try row["kind", as: OperatorRecord.Kind.self] == .grant
        let plan: String? = try row["plan_id"]
        self.init(
            id: id, userID: user, planID: begins ? plan : nil, until: try row["until"], at: try row["created_at"])
    }
}

/// What an operator did, or a match by e-mail that is remembered like an operator's word (R5, R19).
public struct OperatorRecord: Sendable, Hashable, Identifiable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case bind, adjust, match, grant, discard, map, retry, revoke, fetch, reconcile
        case grantEnd = "grant_end"
    }

    public var id: UUID
    public var at: Date
    public var kind: Kind
    /// nil: it is about no account.
    public var user: UUID?
    /// Of a binding, a match and a fetch, and what a discarded or retried event is about, if it is about one.
    public var subscription: String?
    /// That was discarded or retried.
    public var event: UUID?
    /// Of an adjustment: given, or taken if negative.
    public var units: Int?
    /// Of a mapping.
    public var variant: String?
    /// That was revoked.
    public var key: UUID?
    /// Of a grant and a mapping.
    public var plan: String?
    /// Of a grant; nil: until it is ended.
    public var until: Date?
    public var reason: String?
    /// nil: the rules made the match, or it dates from before this was recorded.
    public var by: Operator?
}

extension OperatorRecord: Record {
    static let tableName = "operator_actions"
    static let columns: Columns = [
        "id", "created_at", "kind", "user_id", "subscription_id", "event_id", "units", "variant_id", "key_id",
        "plan_id",
        "until", "reason", "acted_by", "acted_from",
    ]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"], at: try row["created_at"], kind: try row["kind"], user: try row["user_id"],
            subscription: try row["subscription_id"], event: try row["event_id"], units: try row["units"],
            variant: try row["variant_id"], key: try row["key_id"], plan: try row["plan_id"],
            until: try row["until"], reason: try row["reason"], by: nil)
        guard let name: String = try row["acted_by"] else { return }
        by = Operator(name: name, origin: try row["acted_from", as: String?.self] ?? "")
    }
}

extension StoredSettings: Record {
    static let tableName = "billing_settings"
    static let keyName = "revision"
    static let columns: Columns = [
        "revision", "mode", "store_id", "match_by_email", "upgrade_units", "downgrade_units", "refund_units", "rules",
        "changed_at", "changed_by",
    ]

    init(row: inout RowReader) throws {
        let revision: Int = try row["revision"]
        let mode: Acceptance.Mode = try row["mode"]
        self.init(
            revision: revision,
            policy: BillingPolicy(
                acceptance: Acceptance(storeID: try row["store_id"], mode: mode),
                matchByEmail: try row["match_by_email"], upgradeUnits: try row["upgrade_units"],
                downgradeUnits: try row["downgrade_units"], refundUnits: try row["refund_units"]),
            rules: try row["rules"], changedAt: try row["changed_at"], changedBy: try row["changed_by"])
    }

    static let table = Table<StoredSettings>(
        "billing_settings", key: ["revision"],
        [
            Column("revision", \.revision), Column("mode", \.policy.acceptance.mode),
            Column("store_id", \.policy.acceptance.storeID), Column("match_by_email", \.policy.matchByEmail),
            Column("upgrade_units", \.policy.upgradeUnits), Column("downgrade_units", \.policy.downgradeUnits),
            Column("refund_units", \.policy.refundUnits), Column("rules", \.rules), Column("changed_at", \.changedAt),
            Column("changed_by", \.changedBy),
        ])
}
