public import Billing
public import Databases
public import Foundation

// Rows of `operator_actions` and `billing_settings`.

extension OperatorRecord.Kind: StoredValue {}
extension Acceptance.Mode: StoredValue {}
extension UpgradeUnits: StoredValue {}
extension DowngradeUnits: StoredValue {}
extension RefundUnits: StoredValue {}

/// An operator's act that is to be recorded. Each kind fills the columns that it has values for.
struct NewActionRow: Sendable {
    private var act: RecordedAct
    private var adjustment: (units: Int, line: BucketSeries, begin: Date)?
    private var until: Date?
    private var by: Operator?
    private var form: UUID?
    private var at: Date

    /// - Parameter form: of several acts by one form only one has it.
    init(_ act: RecordedAct, by operator: Operator, form: UUID?, at moment: Date) {
        self.act = act
        by = `operator`
        self.form = form
        at = moment
    }

    /// One that rules read.
    init(_ action: OperatorAction, at moment: Date) {
        let (user, reason) = (action.userID, action.reason)
        switch action.kind {
        case .bind(let subscription):
            act = RecordedAct(.bind, user: user, subscription: subscription, reason: reason)
        case .match(let subscription):
            act = RecordedAct(.match, user: user, subscription: subscription, reason: reason)
        case .adjust(let units, let line, let begin):
            act = RecordedAct(.adjust, user: user, reason: reason)
            adjustment = (units, line, begin)
        case .grant(let plan, let until):
            act = RecordedAct(.grant, user: user, plan: plan, reason: reason)
            self.until = until
        case .endGrants: act = RecordedAct(.grantEnd, user: user, reason: reason)
        }
        by = action.by
        form = action.by?.form
        at = moment
    }

    static let table = Table<NewActionRow>(
        "operator_actions", key: ["id"],
        [
            Column("kind", \.act.kind), Column("user_id", \.act.user), Column("subscription_id", \.act.subscription),
            Column("event_id", \.act.event), Column("units", \.adjustment?.units), Column("line", \.adjustment?.line),
            Column("begins_at", \.adjustment?.begin), Column("plan_id", \.act.plan), Column("until", \.until),
            Column("variant_id", \.act.variant), Column("key_id", \.act.key), Column("reason", \.act.reason),
            Column("acted_by", \.by?.name), Column("acted_from", \.by?.origin), Column("form", \.form),
            Column("created_at", \.at),
        ])
}

extension RowReader {
    /// The next two columns, `acted_by` and `acted_from`; nil: nobody is recorded.
    mutating func actor() throws -> Operator? {
        let name: String? = try self["acted_by"]
        let origin: String? = try self["acted_from"]
        return name.map { Operator(name: $0, origin: origin ?? "") }
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
        "plan_id", "until", "reason", "acted_by", "acted_from",
    ]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"], at: try row["created_at"], kind: try row["kind"], user: try row["user_id"],
            subscription: try row["subscription_id"], event: try row["event_id"], units: try row["units"],
            variant: try row["variant_id"], key: try row["key_id"], plan: try row["plan_id"],
            until: try row["until"], reason: try row["reason"], by: try row.actor())
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
