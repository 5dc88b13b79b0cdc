public import Foundation

/// One month of a line: `begin` belongs to it, `end` to the next (R11).
struct Month: Hashable, Sendable {
    var begin: Date
    var end: Date
    /// Where it would have ended, had the billing day not moved (R11a).
    var fullEnd: Date
    var isTrial = false

    init(begin: Date, end: Date, fullEnd: Date? = nil, isTrial: Bool = false) {
        self.begin = begin
        self.end = end
        self.fullEnd = fullEnd ?? end
        self.isTrial = isTrial
    }

    func contains(_ moment: Date) -> Bool { begin <= moment && moment < end }
    /// The length of the whole month, also if it was cut short (R11a).
    var fullSeconds: Int { Int(fullEnd.timeIntervalSince(begin)) }
}

/// Months that follow each other from a start, on a day of the month; where the day is missing, on the month's last.
struct MonthRun: Hashable, Sendable {
    var start: Date
    /// 1 to 31. That of `start`, unless that is the last of a month which lacks the day.
    var day: Int

    init(start: Date, day: Int? = nil) {
        self.start = start
        self.day = day ?? start.dayOfMonth
    }

    /// The begin of the month with this number; 0 is the first.
    func begin(_ number: Int) -> Date {
        number == 0 ? start : start.adding(months: number, on: day)
    }

    /// The number of the month that `moment` lies in; -1 before the first.
    func number(at moment: Date) -> Int {
        guard moment >= start else { return -1 }
        var number = max(0, start.months(until: moment))
        while begin(number + 1) <= moment { number += 1 }
        while number > 0, begin(number) > moment { number -= 1 }
        return number
    }

    /// The first begin that is not before `moment`.
    func begin(notBefore moment: Date) -> Date {
        let number = number(at: moment)
        return number >= 0 && begin(number) == moment ? moment : begin(number + 1)
    }

    /// How far `moment` is from the nearest begin, in seconds.
    func distance(of moment: Date) -> TimeInterval {
        let number = number(at: moment)
        let next = begin(number + 1).timeIntervalSince(moment)
        return number < 0 ? next : min(next, moment.timeIntervalSince(begin(number)))
    }
}

extension Date {
    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    /// `count` calendar months later, at the same time of day, UTC. A day that is missing becomes the month's last; it
    /// is always counted from the start, so that 31 January leads to 28 February and then to 31 March (R11).
    public func adding(months count: Int) -> Date {
        // The Gregorian calendar has a date for every month in reach; `nil` cannot happen within the years the wire
        // allows.
        Self.calendar.date(byAdding: .month, value: count, to: self) ?? self
    }

    /// The same on another day of the month, as far as the month has it.
    func adding(months count: Int, on day: Int) -> Date {
        let moved = adding(months: count)
        let days = min(day, moved.daysInMonth) - moved.dayOfMonth
        return days == 0 ? moved : moved.addingTimeInterval(Double(days) * .day)
    }

    var dayOfMonth: Int { Self.calendar.component(.day, from: self) }
    var daysInMonth: Int { Self.calendar.range(of: .day, in: .month, for: self)?.count ?? 31 }

    /// How many whole months, counted as `adding(months:)` does, lie between this start and `moment`; -1 if it is
    /// earlier.
    func months(until moment: Date) -> Int {
        guard moment >= self else { return -1 }
        var count = max(0, Self.calendar.dateComponents([.month], from: self, to: moment).month ?? 0)
        while adding(months: count + 1) <= moment { count += 1 }
        while count > 0, adding(months: count) > moment { count -= 1 }
        return count
    }

    /// Rounded down to the second, which is the resolution of the rules.
    public var wholeSeconds: Date { Date(timeIntervalSince1970: timeIntervalSince1970.rounded(.down)) }
}

extension TimeInterval {
    /// Seconds.
    static let hour: TimeInterval = 3600
    static let day: TimeInterval = 86_400
}
