import Foundation
import Selextract
import Testing

@Suite("UsageDay")
struct UsageDayTests {
    @Test(
        "A moment falls on its UTC day",
        arguments: [
            (0, "1970-01-01"), (-1, "1969-12-31"), (86_399.999, "1970-01-01"), (86_400, "1970-01-02"),
            (951_868_799, "2000-02-29"), (951_868_800, "2000-03-01"), (1_791_797_404, "2026-10-12"),
            (253_402_300_799, "9999-12-31"), (253_402_300_800, "9999-12-31"), (1e300, "9999-12-31"),
            (-62_135_596_800, "0001-01-01"), (-1e300, "0001-01-01"), (.infinity, "9999-12-31"),
        ] as [(Double, String)])
    func containing(seconds: Double, text: String) {
        #expect(UsageDay(containing: Date(timeIntervalSince1970: seconds)).description == text)
    }

    @Test("Each day of 800 years is followed by the next, and is what Foundation's calendar says")
    func everyDay() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        var day = try #require(UsageDay("1600-01-01"))
        var wrong: [UsageDay] = []
        for _ in 0..<(2 * 146_097) {
            let parts = day.parts
            var isRight = UsageDay(year: parts.year, month: parts.month, day: parts.day) == day
            if day.daysSince1970 % 97 == 0 {
                let expected = calendar.dateComponents([.year, .month, .day], from: day.start)
                isRight = isRight && expected.year == parts.year && expected.month == parts.month
                isRight = isRight && expected.day == parts.day
                isRight = isRight && UsageDay(day.description) == day
            }
            let next = day.adding(days: 1)
            if !isRight || next <= day || next.start != day.start + 86_400 { wrong.append(day) }
            day = next
        }
        #expect(wrong.isEmpty)
        #expect(day.description == "2400-01-01")
    }

    @Test(
        "What is no day is refused",
        arguments: [
            "", "2026-10-1", "2026-10-011", "2026-13-01", "2026-00-01", "2026-02-29", "2100-02-29", "2026-04-31",
            "2026-01-00", "2026-01-32", "0000-01-01", "10000-01-01", "2026/10/12", "2026-10-12T", " 2026-10-12",
            "2026-1a-12", "２026-10-1", "-026-10-12", "+026-10-12",
        ])
    func refused(text: String) {
        #expect(UsageDay(text) == nil)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([UsageDay].self, from: Data("[\"\(text)\"]".utf8))
        }
    }

    @Test(
        "Days are added within the years 1 to 9999",
        arguments: [(Int.max, "9999-12-31"), (.min, "0001-01-01"), (366, "2028-01-01")])
    func adding(days: Int, text: String) throws {
        #expect(try #require(UsageDay("2026-12-31")).adding(days: days).description == text)
    }

    @Test(
        "The next month's day is the same, or its last",
        arguments: [
            ("2026-01-31", "2026-02-28"), ("2028-01-30", "2028-02-29"), ("2026-12-15", "2027-01-15"),
            ("2026-05-31", "2026-06-30"), ("9999-12-31", "9999-12-31"),
        ])
    func nextMonth(text: String, next: String) throws {
        #expect(try #require(UsageDay(text)).inNextMonth.description == next)
    }

    @Test("A day's use is counted, never down")
    func record() throws {
        var usage = UsageAnalytics(
            id: Sample.id(7), userID: Sample.id(1), date: UsageDay(containing: Sample.noon), createdAt: Sample.noon)
        #expect(usage.isEmpty)
        usage.record(tasksExecuted: 1, computeUnitsUsed: 7)
        usage.record(computeUnitsUsed: -3, apiCalls: 2)
        #expect(usage.tasksExecuted == 1)
        #expect(usage.computeUnitsUsed == 7)
        #expect(usage.apiCalls == 2)
        #expect(!usage.isEmpty)
    }
}
