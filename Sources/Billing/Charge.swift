public import Foundation

/// A sequence of monthly buckets: the free plan's, or those of one subscription.
public struct Line: Sendable, Hashable, RawRepresentable {
    /// `free`, or the provider's subscription id.
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public static let free = Line(rawValue: "free")
    public static func subscription(_ id: String) -> Line { Line(rawValue: id) }
}

/// What was charged to a bucket, for good (R15), under the begin that its month had at the time.
public struct Charge: Sendable, Hashable {
    public var line: Line
    public var begin: Date
    /// Units that tasks consumed.
    public var consumed: Int
    /// Units that operators and other programs gave (positive) or took.
    public var adjusted: Int
    /// When the first of it was recorded, by the database's clock: what was given then is not taken back (R12).
    public var firstAt: Date

    public init(line: Line, begin: Date, consumed: Int, adjusted: Int, firstAt: Date) {
        self.line = line
        self.begin = begin
        self.consumed = consumed
        self.adjusted = adjusted
        self.firstAt = firstAt
    }
}
