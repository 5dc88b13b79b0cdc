import Logging

/// Lets of records of one kind, which have the same level and message, one a second through: a fault that every request
/// meets must not bury what else the log tells.
///
/// The first is let through at once. Those of the second that follows are held, and when it ends the last of them stands
/// for all, with their number as `repeated`; then the next second begins. So the lines and their `repeated` add up to
/// what happened. What tells of one thing only (`info` and below: a delivery, an SQL statement) is let through always.
struct RepeatedRecords {
    private struct Kind: Hashable {
        var level: Logger.Level
        var message: String
    }

    private struct Held {
        var ends: ContinuousClock.Instant
        var count = 0
        var last: LogRecord?
    }

    /// Kinds that are remembered: messages are constant, so that there are few. Of further ones each is let through.
    private static let kinds = 256

    private let interval: Duration
    private var held: [Kind: Held] = [:]

    init(interval: Duration = .seconds(1)) { self.interval = interval }

    /// Whether a record is written now; else it is held.
    mutating func admits(_ record: LogRecord, at now: ContinuousClock.Instant) -> Bool {
        guard record.level >= .notice else { return true }
        let kind = Kind(level: record.level, message: record.message)
        if var known = held[kind], known.last != nil || now < known.ends {
            known.count += 1
            known.last = record
            held[kind] = known
            return false
        }
        if held.count >= Self.kinds { held = held.filter { $1.last != nil || now < $1.ends } }
        if held.count < Self.kinds { held[kind] = Held(ends: now + interval) }
        return true
    }

    /// When the next held record is to be written; nil: none is held.
    var next: ContinuousClock.Instant? {
        held.values.filter { $0.last != nil }.map(\.ends).min()
    }

    /// Takes the records that have been held long enough, or all.
    mutating func take(at now: ContinuousClock.Instant, all: Bool = false) -> [LogRecord] {
        var records: [LogRecord] = []
        for (kind, held) in held {
            guard let last = held.last, all || held.ends <= now else { continue }
            var record = last
            if held.count > 1 { record.metadata["repeated"] = "\(held.count)" }
            records.append(record)
            self.held[kind] = Held(ends: now + interval)
        }
        return records.sorted { $0.time < $1.time }
    }
}
