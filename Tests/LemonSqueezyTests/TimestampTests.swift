import Foundation
import LemonSqueezy
import Testing

@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "The provider's form is read to the second, whatever its offset",
        arguments: [
            ("2026-10-12T09:30:04.000000Z", 1_791_797_404), ("2026-10-12T09:30:04Z", 1_791_797_404),
            ("2026-10-12T09:30:04.999999Z", 1_791_797_404), ("2026-10-12T09:30:04+00:00", 1_791_797_404),
            ("2026-10-12T09:30:04.1+00:00", 1_791_797_404),
            ("2026-10-12T11:30:04+02:00", 1_791_797_404), ("2026-10-12T04:00:04.000000-05:30", 1_791_797_404),
            ("2026-10-12T09:30:04-00:00", 1_791_797_404), ("2026-10-12T09:30:04.123456789Z", 1_791_797_404),
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T23:59:59Z", 951_868_799), ("2024-02-29T00:00:00Z", 1_709_164_800),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ])
    func read(text: String, seconds: Int) {
        #expect(Timestamp.date(from: text) == Date(timeIntervalSince1970: Double(seconds)))
    }

    @Test(
        "What is no moment is refused",
        arguments: [
            "", "2026-10-12", "2026-10-12T09:30:04", "2026-10-12 09:30:04Z", "2026-10-12T09:30Z",
            "2026-10-12T09:30:04.Z", "2026-10-12T09:30:04.0000000000Z", "2026-10-12T09:30:04z", "2026-10-12t09:30:04Z",
            "2026-10-12T09:30:04+24:00", "2026-10-12T09:30:04-00:60", "2026-10-12T09:30:04+0000",
            "2026-10-12T09:30:04.000000", "2026-10-12T09:30:04.000000Z ", " 2026-10-12T09:30:04Z",
            "2026-10-12T09:30:04.00000aZ", "2026-10-12T09:30:04ZZ", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z",
            "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-06-30T23:59:60Z",
            "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "+2026-01-01T00:00:00Z",
            "-026-01-01T00:00:00Z", "2026-1-01T00:00:00.0Z", "２026-10-12T09:30:04Z", "2026-10-12T09:30:0４Z",
            "2026-10-12T09:30:04\u{0}Z", "not a date at all, but long enough",
        ])
    func refuse(text: String) {
        #expect(Timestamp.date(from: text) == nil)
    }

    @Test("Writing and reading agree with Foundation's calendar, on every day of four centuries")
    func everyDay() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        for day in stride(from: 0, to: 146_097, by: 1) {
            let date = Date(timeIntervalSince1970: Double(day * 86_400 + day % 86_400))
            guard let text = Timestamp.text(from: date), Timestamp.date(from: text) == date else {
                Issue.record("day \(day)")
                continue
            }
            if day % 97 == 0 {
                let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
                let expected = String(
                    format: "%04d-%02d-%02dT%02d:%02d:%02d.000000Z", parts.year!, parts.month!, parts.day!, parts.hour!,
                    parts.minute!, parts.second!)
                #expect(text == expected)
            }
        }
    }

    @Test("A moment outside the years 1970 to 9999 has no text; a fraction is floored")
    func edges() {
        #expect(Timestamp.text(from: Date(timeIntervalSince1970: -1)) == nil)
        #expect(Timestamp.text(from: Date(timeIntervalSince1970: 253_402_300_800)) == nil)
        #expect(Timestamp.text(from: Date(timeIntervalSince1970: .nan)) == nil)
        #expect(Timestamp.text(from: Date(timeIntervalSince1970: 253_402_300_799)) == "9999-12-31T23:59:59.000000Z")
        #expect(Timestamp.text(from: Date(timeIntervalSince1970: 59.9)) == "1970-01-01T00:00:59.000000Z")
    }
}
