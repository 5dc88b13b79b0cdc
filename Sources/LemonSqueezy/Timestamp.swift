public import Foundation

/// The provider's timestamps, `2026-10-12T09:30:04.000000Z`: UTC, whole seconds.
public enum Timestamp {
    /// The begin of the year 2200, UTC. Times from then on are not accepted (R3).
    public static let end = Date(timeIntervalSince1970: 7_258_118_400)

    /// The moment a timestamp names, its fraction cut off; nil if it is none.
    ///
    /// Accepted is RFC 3339: `YYYY-MM-DDTHH:MM:SS`, a fraction of 1 to 9 digits or none, then `Z` or an offset; years
    /// 1970 to 9999; no leap seconds and no 24:00.
    public static func date(from text: String) -> Date? {
        var text = text
        return text.withUTF8 { digits in
            guard let end = secondsEnd(digits), let offset = offset(digits[end...]) else { return nil }
            func number(_ range: Range<Int>) -> Int {
                range.reduce(0) { $0 * 10 + Int(digits[$1] - UInt8(ascii: "0")) }
            }
            let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
            let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
            guard year >= 1970, (1...12).contains(month), day >= 1, day <= length(ofMonth: month, year: year),
                hour < 24, minute < 60, second < 60
            else { return nil }
            let days = daysSince1970(year: year, month: month, day: day)
            return Date(timeIntervalSince1970: Double(((days * 24 + hour) * 60 + minute) * 60 + second - offset))
        }
    }

    /// The timestamp of a moment as the provider writes it, the fraction of a second floored to zero; nil if it lies
    /// outside the years 1970 to 9999.
    public static func text(from date: Date) -> String? {
        secondsText(from: date).map { $0 + ".000000Z" }
    }

    /// `YYYY-MM-DDTHH:MM:SS` of a moment, UTC.
    static func secondsText(from date: Date) -> String? {
        let seconds = date.timeIntervalSince1970.rounded(.down)
        guard seconds >= 0, seconds < 253_402_300_800 else { return nil }
        let (days, time) = Int(seconds).quotientAndRemainder(dividingBy: 86_400)
        var year = 1970 + days / 366
        while daysSince1970(year: year + 1, month: 1, day: 1) <= days { year += 1 }
        var month = 1
        while month < 12, daysSince1970(year: year, month: month + 1, day: 1) <= days { month += 1 }
        let day = days - daysSince1970(year: year, month: month, day: 1) + 1
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(two(month))-\(two(day))T\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60))"
    }

    /// Where the seconds end, if all separators and digits up to there are in place.
    private static func secondsEnd(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard text.count >= 20 else { return nil }
        for index in 0..<19 {
            let expected: UInt8? =
                switch index {
                case 4, 7: UInt8(ascii: "-")
                case 10: UInt8(ascii: "T")
                case 13, 16: UInt8(ascii: ":")
                default: nil
                }
            guard expected.map({ $0 == text[index] }) ?? isDigit(text[index]) else { return nil }
        }
        return 19
    }

    /// The offset from UTC in seconds, of the rest of a timestamp: an optional fraction and the zone; nil if it is
    /// neither.
    private static func offset(_ rest: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        var zone = rest
        if rest.first == UInt8(ascii: ".") {
            zone = rest.dropFirst().drop(while: isDigit)
            guard (1...9).contains(rest.count - 1 - zone.count) else { return nil }
        }
        if zone.elementsEqual("Z".utf8) { return 0 }
        let text = Array(zone)
        guard text.count == 6, text[0] == UInt8(ascii: "+") || text[0] == UInt8(ascii: "-"),
            text[3] == UInt8(ascii: ":"), [1, 2, 4, 5].allSatisfy({ isDigit(text[$0]) })
        else { return nil }
        func two(_ index: Int) -> Int { Int(text[index] - 48) * 10 + Int(text[index + 1] - 48) }
        guard two(1) < 24, two(4) < 60 else { return nil }
        return (two(1) * 60 + two(4)) * (text[0] == UInt8(ascii: "-") ? -60 : 60)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1 January 1970 in the Gregorian calendar; the years' leap days, then the months' lengths.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let before = year - 1
        let leapDays = before / 4 - before / 100 + before / 400 - 477
        let months = (1..<month).reduce(0) { $0 + length(ofMonth: $1, year: year) }
        return (year - 1970) * 365 + leapDays + months + day - 1
    }
}
