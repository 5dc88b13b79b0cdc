public import Billing
public import Foundation

/// What a fold found to be otherwise than it was stored, and saved.
public struct FoldResult: Sendable {
    /// By event.
    public var verdicts: [UUID: Verdict] = [:]
    public var changes = AccountChanges(at: .distantPast)
    /// The accounts that were looked at, as they were found.
    public var found: [AccountRow] = []
    /// What was stored of their subscriptions and buckets.
    var subscriptions: [SubscriptionRow] = []
    var buckets: [BucketRow] = []
    /// What a request led to.
    public var granted: LedgerEntry?
}
