public import Foundation
import Selextract

/// One unlocked month of a line and its compute units (R13).
public struct Bucket: Sendable, Hashable {
    public var line: BucketSeries
    public var begin: Date
    /// The next month's begin.
    public var end: Date
    /// From when on it gives units; never before its begin.
    public var unlockedAt: Date
    public var granted: Int
    public var consumed: Int
    /// Units given (positive) or taken by operators and other programs.
    public var adjusted: Int
    /// What the line's previous unlocked bucket was below zero; 0 or negative.
    public var carried: Int

    public init(
        line: BucketSeries, begin: Date, end: Date, unlockedAt: Date, granted: Int, consumed: Int, adjusted: Int,
        carried: Int
    ) {
        self.line = line
        self.begin = begin
        self.end = end
        self.unlockedAt = unlockedAt
        self.granted = granted
        self.consumed = consumed
        self.adjusted = adjusted
        self.carried = carried
    }

    /// May be below zero: after a downgrade, when more was used than the month gives in the end.
    public var remaining: Int { granted - consumed + adjusted + carried }
    /// What an account sees and can spend: not less than nothing, and no more than its column holds.
    public var shown: Int { min(max(0, remaining), User.unitsMaximum) }

    func isUnlocked(at moment: Date) -> Bool { unlockedAt <= moment }
}

/// Builds a line's buckets in order, carrying what is below zero from each to the next.
struct BucketChain {
    let line: BucketSeries
    let charges: [Charge]
    private(set) var buckets: [Bucket] = []
    /// What the bucket before these was below zero.
    private let carried: Int

    init(line: BucketSeries, charges: [Charge], carried: Int = 0) {
        self.line = line
        self.charges = charges
        self.carried = carried
    }

    mutating func append(_ month: Month, unlockedAt: Date, granted: Int) {
        let own = charges.filter { month.contains($0.begin) }
        buckets.append(
            Bucket(
                line: line, begin: month.begin, end: month.end, unlockedAt: unlockedAt, granted: granted,
                consumed: own.reduce(0) { $0 + $1.consumed }, adjusted: own.reduce(0) { $0 + $1.adjusted },
                carried: min(0, buckets.last?.remaining ?? carried)
            )
        )
    }
}
