/// A day of the Gregorian calendar, years 1 to 9999, without time or zone: PostgreSQL's `date`.
public struct PostgresDate: Hashable, Sendable {
    public let year: Int
    public let month: Int
    public let day: Int

    /// The day, or `nil` if the calendar does not have it.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Self.length(ofMonth: month, year: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    private static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func isLeap(_ year: Int) -> Bool {
        year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
    }

    /// Days from 1 January of the year 1 to 1 January of `year`.
    private static func days(before year: Int) -> Int {
        let past = year - 1
        return past * 365 + past / 4 - past / 100 + past / 400
    }

    /// The day from which PostgreSQL counts: 1 January 2000.
    private static let epoch = days(before: 2000)

    /// Days since 2000-01-01.
    var daysSinceEpoch: Int32 {
        let months = (1..<month).reduce(0) { $0 + Self.length(ofMonth: $1, year: year) }
        return Int32(Self.days(before: year) + months + day - 1 - Self.epoch)
    }

    init?(daysSinceEpoch: Int32) {
        var rest = Int(daysSinceEpoch) + Self.epoch
        guard (0..<Self.days(before: 10_000)).contains(rest) else { return nil }
        // Counting 366 days a year gives the right year or one a little too early; the loop does the rest.
        var year = rest / 366 + 1
        while Self.days(before: year + 1) <= rest { year += 1 }
        rest -= Self.days(before: year)
        var month = 1
        while rest >= Self.length(ofMonth: month, year: year) {
            rest -= Self.length(ofMonth: month, year: year)
            month += 1
        }
        self.init(year: year, month: month, day: rest + 1)
    }
}

extension PostgresDate: Comparable {
    public static func < (left: PostgresDate, right: PostgresDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }
}

/// Read from and written as `2026-10-12`; no other form is read.
extension PostgresDate: LosslessStringConvertible {
    public init?(_ description: String) {
        let characters = Array(description.utf8)
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        guard characters.count == 10, characters[4] == UInt8(ascii: "-"), characters[7] == UInt8(ascii: "-"),
            [0, 1, 2, 3, 5, 6, 8, 9].allSatisfy({ isDigit(characters[$0]) })
        else { return nil }
        let number = { (range: Range<Int>) in
            characters[range].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        }
        self.init(year: number(0..<4), month: number(5..<7), day: number(8..<10))
    }

    public var description: String {
        let padded = { (number: Int, width: Int) in
            let digits = String(number)
            return String(repeating: "0", count: width - digits.count) + digits
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }
}

extension PostgresDate: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .date }
    public static var postgresArrayType: PostgresType { .dateArray }

    public func encode(into bytes: inout [UInt8]) {
        bytes.appendBigEndian(daysSinceEpoch)
    }

    public static func accepts(_ type: PostgresType) -> Bool {
        type == .date
    }

    public static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> PostgresDate {
        guard let date = PostgresDate(daysSinceEpoch: try cell.integer()) else { throw .outOfRange }
        return date
    }
}
