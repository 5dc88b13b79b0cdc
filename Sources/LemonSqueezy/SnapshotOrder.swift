public import Foundation

/// The canonical order of a subscription's snapshots (R7), which does not depend on when each arrived: the greatest is
/// the present state. Two that are equal in all five parts are the same snapshot.
public struct SnapshotOrder: Comparable, Hashable, Sendable {
    /// Made from a row of another program: it comes before everything that the provider says (R21).
    public var isAdopted: Bool
    /// `updated_at`, whole seconds, UTC.
    public var updatedAt: Date
    /// The `expires` of `urls.customer_portal`, in Unix seconds; 0 if there is none. It moves with the second in which
    /// the provider wrote the payload, which tells snapshots of one `updated_at` apart.
    public var snapshotSecond: Int
    /// ``EventName/snapshotRank``.
    public var rank: Int
    /// ``SubscriptionStatus/snapshotRank``.
    public var statusRank: Int
    /// SHA-256 of the canonical attributes without `urls`, 32 bytes. It says nothing about time: it orders snapshots
    /// that are equal in all other parts but differ in content.
    public var digest: [UInt8]

    public init(
        updatedAt: Date, snapshotSecond: Int, rank: Int, statusRank: Int, digest: [UInt8], isAdopted: Bool = false
    ) {
        self.isAdopted = isAdopted
        self.updatedAt = updatedAt
        self.snapshotSecond = snapshotSecond
        self.rank = rank
        self.statusRank = statusRank
        self.digest = digest
    }

    public static func < (left: SnapshotOrder, right: SnapshotOrder) -> Bool {
        if left.isAdopted != right.isAdopted { return left.isAdopted }
        if left.updatedAt != right.updatedAt { return left.updatedAt < right.updatedAt }
        if left.snapshotSecond != right.snapshotSecond { return left.snapshotSecond < right.snapshotSecond }
        if left.rank != right.rank { return left.rank < right.rank }
        if left.statusRank != right.statusRank { return left.statusRank < right.statusRank }
        return left.digest.lexicographicallyPrecedes(right.digest)
    }
}
