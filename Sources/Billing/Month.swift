public import Foundation

/// One month of a line: `begin` belongs to it, `end` to the next (R11).
struct Month: Hashable, Sendable {
    var begin: Date
    var end: Date
    var isTrial = false

    func contains(_ moment: Date) -> Bool { begin <= moment && moment < end }
    var seconds: Int { Int(end.timeIntervalSince(begin)) }
}

extension Date {
    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    /// `count` calendar months later, at the same time of day, UTC. A day that is missing becomes the month's last; it is
    /// always counted from the start, so that 31 January leads to 28 February and then to 31 March (R11).
    public func adding(months count: Int) -> Date {
        // The Gregorian calendar has a date for every month in reach; `nil` cannot happen within the years the wire allows.
        Self.calendar.date(byAdding: .month, value: count, to: self) ?? self
    }

    /// How many whole months, counted as `adding(months:)` does, lie between this start and `moment`; -1 if it is earlier.
    func months(until moment: Date) -> Int {
        guard moment >= self else { return -1 }
        var count = max(0, Self.calendar.dateComponents([.month], from: self, to: moment).month ?? 0)
        while adding(months: count + 1) <= moment { count += 1 }
        while count > 0, adding(months: count) > moment { count -= 1 }
        return count
    }

    /// The finest grain of the rules.
    public var wholeSeconds: Date { Date(timeIntervalSince1970: timeIntervalSince1970.rounded(.down)) }
}
