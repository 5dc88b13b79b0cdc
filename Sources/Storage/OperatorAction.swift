public import Billing
public import Foundation

/// What an operator did (R5, R15, R19): stored, so that a rebuild knows it.
public struct OperatorAction: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// The subscription is this account's, whatever its events claim.
        case bind(subscription: String)
        /// Units given (positive) or taken, on the bucket that was current.
        case adjust(units: Int, line: Line, begin: Date)
        /// The subscription's e-mail led to this account: remembered as it was made (R5).
        case match(subscription: String)
        /// A plan from now on (R19); nil: until it is ended.
        case grant(plan: String, until: Date?)
        /// Ends all granted plans that run.
        case endGrants
    }

    public var userID: UUID
    public var kind: Kind
    public var reason: String?

    public init(userID: UUID, kind: Kind, reason: String?) {
        self.userID = userID
        self.kind = kind
        self.reason = reason
    }

    /// What of the columns a kind fills.
    struct Columns {
        var kind: String
        var subscription: String?
        var units: Int?
        var line: Line?
        var begin: Date?
        var plan: String?
        var until: Date?
    }

    var columns: Columns {
        switch kind {
        case .bind(let subscription): Columns(kind: "bind", subscription: subscription)
        case .adjust(let units, let line, let begin): Columns(kind: "adjust", units: units, line: line, begin: begin)
        case .match(let subscription): Columns(kind: "match", subscription: subscription)
        case .grant(let plan, let until): Columns(kind: "grant", plan: plan, until: until)
        case .endGrants: Columns(kind: "grant_end")
        }
    }
}

/// A grant of a plan, or the end of all that run, as it is stored.
struct GrantAction {
    /// Of the action.
    var id: UUID
    var userID: UUID
    /// nil: the end.
    var planID: String?
    var until: Date?
    var at: Date
}

extension [GrantAction] {
    /// By account; in order of time, as the actions are.
    var grants: [UUID: [GrantedPlan]] {
        var grants: [UUID: [GrantedPlan]] = [:]
        for action in self {
            guard let planID = action.planID else { continue }
            let end = first { $0.userID == action.userID && $0.planID == nil && $0.at >= action.at }
            grants[action.userID, default: []].append(
                GrantedPlan(id: action.id, planID: planID, from: action.at, until: action.until, endedAt: end?.at))
        }
        return grants
    }
}

extension Attributions {
    /// - Parameter actions: kind, subscription and account; of each kind and subscription the newest first.
    init(actions: [(kind: String, subscription: String, user: UUID)]) {
        self.init()
        for (kind, subscription, user) in actions {
            if kind == "bind" { bindings[subscription] = bindings[subscription] ?? user }
            if kind == "match" { matches[subscription] = matches[subscription] ?? user }
        }
    }
}

extension [SubscriptionRow] {
    /// Those for which `isFirst` holds, and the others.
    func partitioned(_ isFirst: (SubscriptionRow) -> Bool) -> ([SubscriptionRow], [SubscriptionRow]) {
        (filter(isFirst), filter { !isFirst($0) })
    }
}
