public import Foundation

/// A sequence of monthly buckets: the free plan's, those of one subscription, or those of a granted plan.
public struct BucketSeries: Sendable, Hashable, RawRepresentable {
    /// `free`, the provider's subscription id, or `grant:` and the grant's id.
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public static let free = BucketSeries(rawValue: "free")
    public static func grant(_ id: UUID) -> BucketSeries {
        BucketSeries(rawValue: "grant:\(id.uuidString.lowercased())")
    }
    /// The id of the grant, if these are a granted plan's.
    public var grantID: UUID? {
        rawValue.hasPrefix("grant:") ? UUID(uuidString: String(rawValue.dropFirst("grant:".count))) : nil
    }
    public static func subscription(_ id: String) -> BucketSeries { BucketSeries(rawValue: id) }
}

/// What was charged to a bucket, for good (R15), under the begin that its month had at the time.
public struct Charge: Sendable, Hashable {
    public var line: BucketSeries
    public var begin: Date
    /// Units that tasks consumed.
    public var consumed: Int
    /// Units that operators and other programs gave (positive) or took.
    public var adjusted: Int
    /// When the first of it was recorded, by the database's clock: what was given then is not taken back (R12).
    public var firstAt: Date

    public init(line: BucketSeries, begin: Date, consumed: Int, adjusted: Int, firstAt: Date) {
        self.line = line
        self.begin = begin
        self.consumed = consumed
        self.adjusted = adjusted
        self.firstAt = firstAt
    }

    /// Units of the month that were used: by tasks, or taken by other programs. Units that were given do not reduce it.
    var used: Int { consumed + max(0, -adjusted) }
}

/// Units used at a moment, from the ledger. Needed only where a refund takes units, since charges are sums without
/// moments (R18).
public struct Usage: Sendable, Hashable {
    public var line: BucketSeries
    /// Of the month, as its charge has it.
    public var begin: Date
    /// By the database's clock.
    public var at: Date
    /// Negative: another program gave them.
    public var units: Int

    public init(line: BucketSeries, begin: Date, at: Date, units: Int) {
        self.line = line
        self.begin = begin
        self.at = at
        self.units = units
    }
}
