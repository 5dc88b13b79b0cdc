public import Foundation

/// What is stored of an account, as a fold finds and leaves it.
public struct AccountRow: Sendable, Hashable {
    public var userID: UUID
    public var email: String
    public var createdAt: Date
    public var tier: String
    public var unitsRemaining: Int
    public var resetDate: Date
    /// When the clock looks at it next (R17); nil: never.
    public var dueAt: Date?
    /// The moment from which on the row says what is so, until ``dueAt``; later than now: a clock ran ahead (R17). nil:
    /// it was never computed.
    public var validFrom: Date?
    /// Of the stored settings that it was computed with.
    public var revision: Int
    /// The tier is the plan of a row that another program put into `user_subscriptions`: until that is adopted it gives
    /// nothing, but no fold takes the plan that the account shows (R19).
    public var hasUnadoptedPlan: Bool
    /// The ledger's last entry; nil if there is none yet.
    public var lastEntry: LedgerEntry?

    public init(
        userID: UUID, email: String, createdAt: Date, tier: String, unitsRemaining: Int, resetDate: Date,
        dueAt: Date?, validFrom: Date? = nil, revision: Int = 0, hasUnadoptedPlan: Bool = false, lastEntry: LedgerEntry?
    ) {
        self.userID = userID
        self.email = email
        self.createdAt = createdAt
        self.tier = tier
        self.unitsRemaining = unitsRemaining
        self.resetDate = resetDate
        self.dueAt = dueAt
        self.validFrom = validFrom
        self.revision = revision
        self.hasUnadoptedPlan = hasUnadoptedPlan
        self.lastEntry = lastEntry
    }
}

/// A row of `user_subscriptions` that is ours: the provider's, or a granted plan's.
public struct SubscriptionRow: Sendable, Hashable {
    public var userID: UUID
    /// Without its buckets.
    public var state: SubscriptionState

    public init(userID: UUID, state: SubscriptionState) {
        self.userID = userID
        self.state = state
        self.state.buckets = []
    }
}

/// A row of `compute_unit_buckets`.
public struct BucketRow: Sendable, Hashable {
    public var userID: UUID
    public var bucket: Bucket

    public init(userID: UUID, bucket: Bucket) {
        self.userID = userID
        self.bucket = bucket
    }

    public struct Key: Sendable, Hashable {
        public var userID: UUID
        public var line: BucketSeries
        public var begin: Date

        public init(userID: UUID, line: BucketSeries, begin: Date) {
            self.userID = userID
            self.line = line
            self.begin = begin
        }
    }

    public var key: Key { Key(userID: userID, line: bucket.line, begin: bucket.begin) }
}

/// A row of `compute_unit_charges`.
public struct ChargeRow: Sendable, Hashable {
    public var userID: UUID
    public var charge: Charge

    public init(userID: UUID, charge: Charge) {
        self.userID = userID
        self.charge = charge
    }
}
