public import Foundation

/// One change of an account's shown balance (R16).
public struct LedgerEntry: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Another month of the same line.
        case grant
        /// The plan of the present month changed.
        case planChange = "plan_change"
        /// Another line: the effective subscription changed, came, or went.
        case `switch`
        /// A task's units.
        case consume
        /// Another program wrote the balance.
        case external
        /// An operator's.
        case adjust
        /// The present bucket's units changed for another reason.
        case correction
    }

    public var userID: UUID
    public var kind: Kind
    /// Signed change of the shown balance.
    public var units: Int
    /// The shown balance after it; the sum of all `units`.
    public var balance: Int
    public var line: BucketSeries
    /// Of the bucket that is shown after it.
    public var begin: Date
    /// The event that brought it; nil: the clock, a task, a person.
    public var eventID: UUID?
    public var taskID: UUID?
    /// Units that a finished task cost beyond what was left (R15).
    public var shortfall: Int
    public var reason: String?

    public init(
        userID: UUID, kind: Kind, units: Int, balance: Int, line: BucketSeries, begin: Date, eventID: UUID? = nil,
        taskID: UUID? = nil, shortfall: Int = 0, reason: String? = nil
    ) {
        self.userID = userID
        self.kind = kind
        self.units = units
        self.balance = balance
        self.line = line
        self.begin = begin
        self.eventID = eventID
        self.taskID = taskID
        self.shortfall = shortfall
        self.reason = reason
    }
}

extension LedgerEntry {
    /// The entry that leads from the ledger's last entry to a bucket; nil if that one names the same bucket and
    /// balance.
    ///
    /// - Parameter granted: what the bucket that was last shown granted then, if that is known.
    static func leading(
        from last: LedgerEntry, granted: Int?, to current: Bucket, eventID: UUID?
    ) -> LedgerEntry? {
        let sameBucket = last.line == current.line && last.begin == current.begin
        if sameBucket && last.balance == current.shown { return nil }
        let kind: Kind =
            if last.line != current.line {
                .switch
            } else if last.begin != current.begin {
                .grant
            } else if let granted, granted != current.granted {
                .planChange
            } else {
                .correction
            }
        return LedgerEntry(
            userID: last.userID, kind: kind, units: current.shown - last.balance, balance: current.shown,
            line: current.line, begin: current.begin, eventID: eventID)
    }
}
