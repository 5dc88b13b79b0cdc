public import Billing
public import Foundation

/// What is stored of an account, as a fold finds and leaves it.
public struct AccountRow: Sendable, Hashable {
    public var userID: UUID
    public var createdAt: Date
    public var tier: String
    public var unitsRemaining: Int
    public var resetDate: Date
    /// When the clock looks at it next (R17); nil: never.
    public var dueAt: Date?
    /// The ledger's last entry; nil if there is none yet.
    public var lastEntry: LedgerEntry?

    public init(
        userID: UUID, createdAt: Date, tier: String, unitsRemaining: Int, resetDate: Date, dueAt: Date?,
        lastEntry: LedgerEntry?
    ) {
        self.userID = userID
        self.createdAt = createdAt
        self.tier = tier
        self.unitsRemaining = unitsRemaining
        self.resetDate = resetDate
        self.dueAt = dueAt
        self.lastEntry = lastEntry
    }
}

/// A row of `user_subscriptions` that is ours.
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
        public var line: Line
        public var begin: Date
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
