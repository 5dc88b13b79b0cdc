public import Foundation

/// A calendar day in UTC, `YYYY-MM-DD`, of the years 1 to 9999 (Gregorian throughout).
public struct UsageDay: Sendable, Hashable {
    /// Days since 1 January 1970; negative before.
    public let daysSince1970: Int

    /// The day that `moment` falls on. Moments outside the years 1 to 9999 give the first or the last day.
    public init(containing moment: Date) {
        let days = (moment.timeIntervalSince1970 / 86_400).rounded(.down)
        let range = Double(Self.first)...Double(Self.last)
        daysSince1970 = Int(min(max(days, range.lowerBound), range.upperBound))
    }

    /// nil if there is no such day.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Self.length(ofMonth: month, year: year)
        else { return nil }
        daysSince1970 = Self.days(year: year, month: month, day: day)
    }

    /// Reads `YYYY-MM-DD`; nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let year = Self.number(bytes[0..<4]), let month = Self.number(bytes[5..<7]),
            let day = Self.number(bytes[8..<10])
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    private init(unchecked days: Int) { daysSince1970 = min(max(days, Self.first), Self.last) }

    /// Its first moment, 00:00 UTC.
    public var start: Date { Date(timeIntervalSince1970: Double(daysSince1970) * 86_400) }

    /// `count` days later, or earlier if it is negative.
    public func adding(days count: Int) -> UsageDay {
        UsageDay(unchecked: daysSince1970 + min(max(count, -Self.last * 2), Self.last * 2))
    }

    /// The same day of the next month; a day that is missing there becomes its last: 31 January leads to 28 February.
    public var inNextMonth: UsageDay {
        let (year, month, day) = parts
        let next = month == 12 ? (year: year + 1, month: 1) : (year: year, month: month + 1)
        let length = Self.length(ofMonth: next.month, year: next.year)
        return UsageDay(unchecked: Self.days(year: next.year, month: next.month, day: min(day, length)))
    }

    /// Year, month (1 to 12) and day of the month.
    public var parts: (year: Int, month: Int, day: Int) {
        // Years begin in March, so that the leap day is their last; 400 of them have 146,097 days.
        let shifted = daysSince1970 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static let first = days(year: 1, month: 1, day: 1)
    private static let last = days(year: 9999, month: 12, day: 31)

    private static func days(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The days of a month, 1 to 12.
    package static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The number that ASCII digits spell; nil if one is none.
    static func number(_ digits: some Collection<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
            return nil
        }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}

extension UsageDay: Comparable, LosslessStringConvertible, Codable {
    public static func < (left: UsageDay, right: UsageDay) -> Bool { left.daysSince1970 < right.daysSince1970 }

    /// `YYYY-MM-DD`.
    public var description: String {
        let (year, month, day) = parts
        return "\(year.padded(4))-\(month.padded(2))-\(day.padded(2))"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let day = UsageDay(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "“\(text)” is not YYYY-MM-DD")
        }
        self = day
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Int {
    /// Decimal digits, with zeros in front up to `width`. For numbers that are not negative.
    func padded(_ width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}
