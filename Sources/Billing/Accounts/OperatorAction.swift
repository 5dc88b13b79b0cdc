public import Foundation

/// What an operator did (R5, R15, R19): stored, so that a rebuild knows it.
public struct OperatorAction: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// The subscription is this account's, whatever its events claim.
        case bind(subscription: String)
        /// Units given (positive) or taken, on the bucket that was current.
        case adjust(units: Int, line: BucketSeries, begin: Date)
        /// The subscription's e-mail led to this account: remembered as it was made (R5).
        case match(subscription: String)
        /// A plan from now on (R19); nil: until it is ended.
        case grant(plan: String, until: Date?)
        /// Ends all granted plans that run.
        case endGrants
    }

    public var userID: UUID
    public var kind: Kind
    /// In the operator's words.
    public var reason: String?
    /// nil: the rules recorded it themselves, as they do a match.
    public var by: Operator?

    public init(userID: UUID, kind: Kind, reason: String?, by operator: Operator? = nil) {
        self.userID = userID
        self.kind = kind
        self.reason = reason
        by = `operator`
    }
}

/// Who acts, and from where: for the record alone, no rule reads it.
public struct Operator: Sendable, Hashable {
    /// As the system or a login names the person.
    public var name: String
    /// The host, or the page, that the act came from.
    public var origin: String
    /// Of the page that confirmed the act, which is done once for it, whoever else sends the same; nil: it came from no
    /// page.
    public var form: UUID?

    public init(name: String, origin: String, form: UUID? = nil) {
        self.name = name
        self.origin = origin
        self.form = form
    }

    /// The user of this process, on this host.
    public static let local = Operator(name: NSUserName(), origin: ProcessInfo.processInfo.hostName)
}

/// A grant of a plan, or the end of all that run, as it is stored (R19).
public struct GrantAction: Sendable, Hashable {
    /// Of the action.
    public var id: UUID
    public var userID: UUID
    /// nil: the end.
    public var planID: String?
    public var until: Date?
    public var at: Date

    public init(id: UUID, userID: UUID, planID: String?, until: Date?, at: Date) {
        self.id = id
        self.userID = userID
        self.planID = planID
        self.until = until
        self.at = at
    }
}

extension [GrantAction] {
    /// The granted plans by account.
    ///
    /// The actions have to be in order of time: an end ends those before it.
    public var grants: [UUID: [GrantedPlan]] {
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
