public import Foundation
import Selextract

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

// Months are counted with whole numbers: Foundation's calendar takes some thirty times as long, and an account's state asks
// for dozens of them.
extension Date {
    /// `count` calendar months later, at the same time of day, UTC. A day that is missing becomes the month's last; it is
    /// always counted from the start, so that 31 January leads to 28 February and then to 31 March (R11).
    public func adding(months count: Int) -> Date { adding(months: count, on: nil) }

    /// The same on another day of the month, as far as the month has it.
    func adding(months count: Int, on day: Int?) -> Date {
        let from = UsageDay(containing: self)
        let (year, month, ownDay) = from.parts
        let months = year * 12 + month - 1 + count
        let (newYear, newMonth) = (months / 12, months % 12 + 1)
        guard (1...9999).contains(newYear), newMonth >= 1,
            let to = UsageDay(
                year: newYear, month: newMonth,
                day: min(day ?? ownDay, UsageDay.length(ofMonth: newMonth, year: newYear)))
        else {
            // Beyond the years that have a day here; whoever counts on must still get further.
            return addingTimeInterval(Double(count) * 31 * .day)
        }
        return addingTimeInterval(Double(to.daysSince1970 - from.daysSince1970) * .day)
    }

    var dayOfMonth: Int { UsageDay(containing: self).parts.day }

    var daysInMonth: Int {
        let (year, month, _) = UsageDay(containing: self).parts
        return UsageDay.length(ofMonth: month, year: year)
    }

    /// How many whole months, counted as `adding(months:)` does, lie between this start and `moment`; -1 if it is
    /// earlier.
    func months(until moment: Date) -> Int {
        guard moment >= self else { return -1 }
        let (from, to) = (UsageDay(containing: self).parts, UsageDay(containing: moment).parts)
        var count = max(0, (to.year - from.year) * 12 + to.month - from.month - 1)
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
