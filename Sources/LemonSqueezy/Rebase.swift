public import Foundation

/// Moves a payload in time: for replaying an old scenario as if it happened now.
public struct Rebase: Hashable, Sendable {
    /// By how many seconds; whole ones, since the provider has no finer grain.
    public let seconds: Int

    /// - Parameter shift: in seconds, rounded to whole ones; what no integer can hold moves nothing.
    public init(shift: TimeInterval) { seconds = Int(exactly: shift.rounded()) ?? 0 }

    /// The shift that puts the latest of these payloads at `now`.
    public init(latestOf payloads: [JSONValue], to now: Date) {
        let latest = payloads.compactMap(Self.moment(of:)).max()
        self.init(shift: latest.map { now.timeIntervalSince($0) } ?? 0)
    }

    /// When a payload was made: its object's `updated_at`, else its `created_at`; nil if it has neither.
    public static func moment(of payload: JSONValue) -> Date? {
        let attributes = payload["data"]?["attributes"]
        return attributes?["updated_at"]?.date ?? attributes?["created_at"]?.date
    }

    /// The payload with every timestamp of the provider's form, and every `expires` of a URL, moved; all else is kept.
    /// A time that would leave the years 1970 to 9999 is kept, too.
    public func callAsFunction(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null, .bool, .number: value
        case .string(let text): .string(moved(text))
        case .array(let elements): .array(elements.map { self($0) })
        case .object(let members): .object(members.map { JSONValue.Member($0.key, self($0.value)) })
        }
    }

    private func moved(_ text: String) -> String {
        if Timestamp.date(from: text) != nil, let local = Timestamp.date(from: text.prefix(19) + "Z") {
            // Only the date and time are replaced: fraction and zone stay as they were written.
            let moved = Timestamp.secondsText(from: local.addingTimeInterval(Double(seconds)))
            return moved.map { $0 + text.dropFirst(19) } ?? text
        }
        if let url = ExpiringURL(text) {
            let (expires, overflow) = url.expires.addingReportingOverflow(seconds)
            return overflow || expires < 0 ? text : url.ending(at: expires)
        }
        return text
    }
}
