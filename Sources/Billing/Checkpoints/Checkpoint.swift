public import Foundation

/// Stands for a subscription's earlier events: with it, a fold reads few of them, and leaves the months that are closed
/// as they are stored.
///
/// It is a copy that can be thrown away: it names the earlier events that the rules still read, and everything later is
/// read as ever. Months that begin before ``closedBefore`` are not computed; all others come out as they would from the
/// whole history (R0). What could reach behind it makes it void, and the whole history is loaded.
public struct Checkpoint: Sendable, Hashable {
    public var subscriptionID: String
    /// Whose the subscription is.
    public var userID: UUID
    /// Months that begin earlier are closed: their buckets stay as they are stored. The begin of a month, UTC.
    public var closedBefore: Date
    /// Events dated later are read, and of those dated by then only what is ``kept``. A week before ``closedBefore``.
    public var readAfter: Date
    /// The ids of the earlier events that are read.
    public var kept: [UUID]
    /// What the last closed bucket was below zero; 0 or negative.
    public var carried: Int
    /// Whether the subscription's trial is the account's first.
    public var trialCounts: Bool
    /// Of the stored settings that the closed months were computed with.
    public var revision: Int
    /// Of the plans, variants and terms that they were computed with.
    public var catalogVersion: Int
    /// How many events it stands for, those that are kept included.
    public var events: Int

    public init(
        subscriptionID: String, userID: UUID, closedBefore: Date, readAfter: Date, kept: [UUID], carried: Int,
        trialCounts: Bool, revision: Int, catalogVersion: Int, events: Int
    ) {
        self.subscriptionID = subscriptionID
        self.userID = userID
        self.closedBefore = closedBefore
        self.readAfter = readAfter
        self.kept = kept
        self.carried = carried
        self.trialCounts = trialCounts
        self.revision = revision
        self.catalogVersion = catalogVersion
        self.events = events
    }

    var line: BucketSeries { .subscription(subscriptionID) }

    /// Whether an event of the subscription is read beside it.
    ///
    /// A store loads more: what has no date, and what was not decided (parked, failed), whatever its date. Such an
    /// event makes the checkpoint void.
    public func reads(_ event: BillingEvent) -> Bool {
        guard let updatedAt = event.updatedAt else { return true }
        return updatedAt > readAfter || kept.contains(event.id)
    }

    /// Events dated by then were counted when it was made, or make it void: so late, none moves the billing day to
    /// before ``closedBefore``, and none is earlier evidence for a closed month.
    var completeUntil: Date { closedBefore.addingTimeInterval(Self.margin) }

    /// A week on both sides of ``closedBefore``: an invoice pays for a month three days after it was made, and a
    /// snapshot moves the billing day to within three days of its own date (R11a, R12).
    static let margin: TimeInterval = 7 * .day
    /// With fewer events to leave out, reading them all costs less than remembering which.
    public static let fewestLeftOut = 16
    /// A subscription with more events than that is worth a checkpoint.
    public static let mostRead = 32
    /// A newer one is made from the whole history when it leaves out a sixteenth more, so that all these readings together
    /// are a small multiple of the events.
    static let readAgainAfter = 16
    /// Whole months that lie between ``closedBefore`` and now, so that what comes late finds its month open.
    static let openMonths = 2
}
