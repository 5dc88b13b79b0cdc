public import struct Foundation.Date

/// A moment, bound as and read from `timestamptz`, which is UTC on the wire.
///
/// Rounded to the microsecond, PostgreSQL's resolution. What PostgreSQL cannot hold (before 4714 BC, after 294276 AD,
/// not a number) is refused by the server (SQLSTATE 22008); its `infinity` is read as the distant future, `-infinity`
/// as the distant past.
extension Date: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .timestamptz }
    public static var postgresArrayType: PostgresType { .timestamptzArray }

    public func encode(into bytes: inout [UInt8]) {
        bytes.appendBigEndian(microseconds)
    }

    public static func accepts(_ type: PostgresType) -> Bool {
        type == .timestamptz
    }

    public static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> Date {
        let microseconds = try cell.integer(Int64.self)
        if microseconds == .max { return .distantFuture }
        if microseconds == .min { return .distantPast }
        let (seconds, rest) = (microseconds - Self.epochDistance).quotientAndRemainder(dividingBy: 1_000_000)
        return Date(timeIntervalSinceReferenceDate: Double(seconds) + Double(rest) / 1_000_000)
    }

    /// From PostgreSQL's epoch, 2000-01-01 UTC, to Foundation's, 2001-01-01 UTC.
    private static let epochDistance: Int64 = 366 * 86_400 * 1_000_000

    /// Microseconds since 2000-01-01 UTC. Whole seconds and the rest are scaled apart, for the product as a `Double`
    /// would lose microseconds a century away.
    private var microseconds: Int64 {
        let interval = timeIntervalSinceReferenceDate
        // Any value outside the server's range makes the server refuse it; the extremes would mean infinity.
        guard abs(interval) < 9e12 else { return interval < 0 ? .min + 1 : .max - 1 }
        let seconds = interval.rounded(.down)
        let rest = ((interval - seconds) * 1_000_000).rounded()
        return Int64(seconds) * 1_000_000 + Int64(rest) + Self.epochDistance
    }
}
