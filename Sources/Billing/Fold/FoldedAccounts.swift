public import Foundation

/// What a fold led to: all that is to be saved, and how it was found before.
public struct FoldedAccounts: Sendable {
    /// Of the events that came, and of stored ones that changed, by event.
    public var decisions: [UUID: EventDecision] = [:]
    public var changes: AccountChanges
    /// Matches by e-mail that are made now, and are to be remembered (R5).
    public var matches: [OperatorAction] = []
    /// The accounts that were folded, as they were found.
    public var found: [AccountRow] = []
    /// What was stored of their subscriptions and buckets.
    public var subscriptions: [SubscriptionRow] = []
    public var buckets: [BucketRow] = []
    /// The ledger's entry that a request led to; nil: there was none, or no such account.
    public var granted: LedgerEntry?
    /// The subscriptions whose checkpoint does not hold. If there are any, nothing else here is to be used: they are to
    /// be loaded whole, and folded again without it.
    public var voidCheckpoints: Set<String> = []

    public init(at now: Date) {
        changes = AccountChanges(at: now)
    }
}

/// What a fold writes about accounts; only what differs.
public struct AccountChanges: Sendable {
    public var accounts: [AccountRow] = []
    public var subscriptions: [SubscriptionRow] = []
    /// By ``SubscriptionState/id``.
    public var removedSubscriptions: Set<String> = []
    public var buckets: [BucketRow] = []
    public var removedBuckets: [BucketRow.Key] = []
    /// What is to be added to what was charged before.
    public var charges: [ChargeRow] = []
    /// In order.
    public var entries: [LedgerEntry] = []
    /// The moment that the fold looked at: the entries' time, so that a refund finds what was used by then whenever it
    /// comes (R18).
    public var at: Date

    public init(at now: Date) {
        at = now
    }
}
