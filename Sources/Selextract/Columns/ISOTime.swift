public import Foundation

/// Moments as text: ISO 8601, UTC, `2026-10-12T09:30:04.000Z`.
///
/// Foundation's `ISO8601FormatStyle` does not do it: it writes no microseconds, counts by the Julian calendar before 1582,
/// and reads 30 February, 24:00 and text after the `Z` as if they were right, in three times the time.
public enum ISOTime {
    /// With milliseconds, or microseconds if it has some; finer ones are rounded.
    public static func text(from date: Date) -> String {
        // A Date stores its interval since the reference date; computing with that one avoids a rounding.
        let limit = 1e12
        let interval = min(max(date.timeIntervalSinceReferenceDate, -limit), limit)
        var seconds = interval.rounded(.down)
        var micros = Int(((interval - seconds) * 1e6).rounded())
        if micros == 1_000_000 { (seconds, micros) = (seconds + 1, 0) }
        let day = UsageDay(containing: Date(timeIntervalSinceReferenceDate: seconds))
        let time = Int(seconds - day.start.timeIntervalSinceReferenceDate)
        let clamped = min(max(time, 0), 86_399)
        let clock = [clamped / 3600, clamped / 60 % 60, clamped % 60].map { $0.padded(2) }.joined(separator: ":")
        let fraction = micros % 1000 == 0 ? (micros / 1000).padded(3) : micros.padded(6)
        return "\(day)T\(clock).\(fraction)Z"
    }

    /// Reads `YYYY-MM-DDTHH:MM:SS` (`T` or a space), a fraction of 1 to 9 digits or none, then `Z` or an offset as
    /// `+02:00`; nil for anything else. Digits beyond microseconds are dropped. PostgreSQL's `infinity` and `-infinity`
    /// are the distant future and past.
    public static func date(from text: String) -> Date? {
        if text == "infinity" { return .distantFuture }
        if text == "-infinity" { return .distantPast }
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, let day = UsageDay(String(decoding: bytes[..<10], as: UTF8.self)),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: " "),
            let clock = minutes(bytes[11..<16]), bytes[16] == UInt8(ascii: ":"),
            let second = UsageDay.number(bytes[17..<19]), second < 60
        else { return nil }
        var rest = bytes[19...]
        var micros = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            guard (1...9).contains(digits.count) else { return nil }
            let six = digits.prefix(6) + Array(repeating: UInt8(ascii: "0"), count: max(0, 6 - digits.count))
            micros = UsageDay.number(six) ?? 0
            rest = rest.dropFirst(digits.count + 1)
        }
        guard let offset = offset(rest) else { return nil }
        let seconds = day.start.timeIntervalSinceReferenceDate + Double((clock - offset) * 60 + second)
        return Date(timeIntervalSinceReferenceDate: seconds + Double(micros) / 1e6)
    }

    /// `HH:MM` in minutes.
    private static func minutes(_ text: ArraySlice<UInt8>) -> Int? {
        guard text.count == 5, text[text.startIndex + 2] == UInt8(ascii: ":"),
            let hour = UsageDay.number(text.prefix(2)), let minute = UsageDay.number(text.suffix(2)), hour < 24,
            minute < 60
        else { return nil }
        return hour * 60 + minute
    }

    /// East of UTC, in minutes.
    private static func offset(_ zone: ArraySlice<UInt8>) -> Int? {
        switch zone.first {
        case UInt8(ascii: "Z"): zone.count == 1 ? 0 : nil
        case UInt8(ascii: "+"): minutes(zone.dropFirst())
        case UInt8(ascii: "-"): minutes(zone.dropFirst()).map { -$0 }
        default: nil
        }
    }
}

extension Date {
    /// One calendar month later at the same time of day, UTC; a day that is missing there becomes the month's last.
    var oneMonthLater: Date {
        let day = UsageDay(containing: self)
        return day.inNextMonth.start.addingTimeInterval(timeIntervalSince(day.start))
    }
}

// In the Codable code that the compiler writes for the rows of this module, these overloads are preferred to the generic
// functions. So rows are encoded alike by any encoder: times as ISO 8601 text, UUIDs in lower case.

extension KeyedEncodingContainer {
    mutating func encode(_ value: Date, forKey key: Key) throws {
        try encode(ISOTime.text(from: value), forKey: key)
    }

    mutating func encodeIfPresent(_ value: Date?, forKey key: Key) throws {
        try encodeIfPresent(value.map(ISOTime.text(from:)), forKey: key)
    }

    mutating func encode(_ value: UUID, forKey key: Key) throws {
        try encode(value.uuidString.lowercased(), forKey: key)
    }
}

extension KeyedDecodingContainer {
    func decode(_ type: Date.Type, forKey key: Key) throws -> Date {
        let text = try decode(String.self, forKey: key)
        guard let date = ISOTime.date(from: text) else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "“\(text)” is no ISO 8601 moment such as 2026-10-12T09:30:04Z")
        }
        return date
    }

    func decodeIfPresent(_ type: Date.Type, forKey key: Key) throws -> Date? {
        guard contains(key), try !decodeNil(forKey: key) else { return nil }
        return try decode(type, forKey: key)
    }
}
