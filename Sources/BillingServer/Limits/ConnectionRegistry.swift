import NIOCore
import Synchronization

/// Counts connections across all event loops.
final class ConnectionCount: Sendable {
    private let count = Atomic<Int>(0)

    var current: Int { count.load(ordering: .relaxed) }
    func opened() { count.add(1, ordering: .relaxed) }
    func closed() { count.subtract(1, ordering: .relaxed) }
}

/// The open connections of a listener. When there are as many as there may be, a new one takes the place of the one that
/// has been idle longest: who holds connections without using them cannot keep others out.
final class ConnectionRegistry: Sendable {
    /// A connection, as others see it.
    final class Entry: Sendable {
        /// Since when no request is under way, in nanoseconds of the event loops' clock; 0: one is.
        private let idle: Atomic<UInt64>
        /// Closes it if it is still idle; else it registers again.
        let closeIfIdle: @Sendable () -> Void

        init(closeIfIdle: @escaping @Sendable () -> Void) {
            idle = Atomic(NIODeadline.now().uptimeNanoseconds)
            self.closeIfIdle = closeIfIdle
        }

        /// nil: a request is under way.
        fileprivate var idleSince: UInt64? {
            let since = idle.load(ordering: .relaxed)
            return since > 0 ? since : nil
        }

        /// Tells whether others may take its place from now on.
        func set(idle isIdle: Bool) {
            idle.store(isIdle ? NIODeadline.now().uptimeNanoseconds : 0, ordering: .relaxed)
        }
    }

    /// All that are open, those that are being closed included.
    let count = ConnectionCount()
    private let limit: Int
    /// Those that nobody has told to close.
    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

    /// - Parameter limit: how many may be served at a time.
    init(limit: Int) { self.limit = limit }

    /// Registers a connection, and closes idle ones if there are too many.
    ///
    /// - Returns: whether it may be served; false if there are as many as may be and none is idle.
    func register(_ entry: Entry) -> Bool {
        let (isAdmitted, idle) = entries.withLock { entries in
            let idle = Self.take(entries.count - limit + 1, from: &entries)
            entries[ObjectIdentifier(entry)] = entry
            return (entries.count <= limit, idle)
        }
        for entry in idle { entry.closeIfIdle() }
        return isAdmitted
    }

    /// Whether a connection that was beyond the limit may be served now.
    func hasRoom() -> Bool { entries.withLock { $0.count <= limit } }

    func unregister(_ entry: Entry) {
        entries.withLock { $0[ObjectIdentifier(entry)] = nil }
    }

    /// One that was told to close, but got a request before it heard of it.
    func keep(_ entry: Entry) {
        entries.withLock { $0[ObjectIdentifier(entry)] = entry }
    }

    /// Closes those that have been idle longest, because descriptors are wanted.
    func closeIdle(_ number: Int) {
        for entry in entries.withLock({ Self.take(number, from: &$0) }) { entry.closeIfIdle() }
    }

    private static func take(_ number: Int, from entries: inout [ObjectIdentifier: Entry]) -> [Entry] {
        guard number > 0 else { return [] }
        let idle = entries.values.compactMap { entry in entry.idleSince.map { ($0, entry) } }
        let chosen = number == 1 ? idle.min { $0.0 < $1.0 }.map { [$0] } ?? [] : idle.sorted { $0.0 < $1.0 }
        return chosen.prefix(number).map { _, entry in
            entries[ObjectIdentifier(entry)] = nil
            return entry
        }
    }
}
