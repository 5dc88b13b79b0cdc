import Foundation
import Logging

/// Writes lines to a descriptor on a thread of its own, so that who logs never waits for who reads.
///
/// What nobody reads yet is kept up to a number of bytes. Lines beyond it are dropped, and when there is room again a
/// line in their place tells how many. Of repeated records one a second is written (``RepeatedRecords``).
///
/// A descriptor that cannot be written to any more (a pipe whose reader has gone, a full disk) loses lines and stops
/// nothing; they are counted like those for which there is no room.
public final class LogWriter: @unchecked Sendable {
    // Proof: everything that changes is touched only while `state` is locked.

    /// The log of this process, and what else it says to people while it serves. Written out when the process ends.
    public static let standardError: LogWriter = {
        atexit { LogWriter.standardError.flush() }
        return LogWriter(descriptor: STDERR_FILENO)
    }()

    /// Bytes that a pipe takes as a whole, or not at all.
    private static let pieceSize = 4096

    private let descriptor: Int32
    private let capacity: Int
    /// Signalled whenever something below has changed that another thread waits for.
    private let state = NSCondition()
    private var lines: [[UInt8]] = []
    /// Bytes of `lines` and of what is being written.
    private var size = 0
    private var isWriting = false
    private var isFailing = false
    private var dropped = 0
    /// Since lines were dropped, until half of the buffer is free: else every second line would tell of one dropped.
    private var isDropping = false
    private var repeated: RepeatedRecords
    /// How the last record was written, which is how the number of dropped lines is told.
    private var format = Settings.LogFormat.text
    private var label = "selextract-billing"
    /// Pieces that were written or given up.
    private var progress = 0
    private var isStarted = false
    private var isEnded = false

    /// - Parameters:
    ///   - descriptor: open for writing. It is used as it is, and not closed.
    ///   - capacity: bytes that may wait to be written.
    ///   - interval: how often a record of the same kind is written.
    public init(descriptor: Int32, capacity: Int = 1 << 20, interval: Duration = .seconds(1)) {
        self.descriptor = descriptor
        self.capacity = capacity
        repeated = RepeatedRecords(interval: interval)
    }

    /// Writes a record as a line, unless it repeats another. Never waits.
    public func log(_ record: LogRecord, as format: Settings.LogFormat) {
        let isAdmitted = state.withLock {
            (self.format, label) = (format, record.label)
            let isAdmitted = repeated.admits(record, at: .now)
            if !isAdmitted { wake() }
            return isAdmitted
        }
        if isAdmitted { write(record.line(as: format)) }
    }

    /// Writes a text as it is, its end included. Never waits.
    public func write(_ text: String) {
        let bytes = Array(text.utf8)
        state.withLock {
            guard !isEnded else { return }
            append(bytes)
            wake()
        }
    }

    /// Waits until everything is written, held records included; for a second at most if nothing moves, for five in all.
    public func flush() {
        state.withLock {
            for record in repeated.take(at: .now, all: true) { append(Array(record.line(as: format).utf8)) }
            wake()
            let end = Date(timeIntervalSinceNow: 5)
            var (seen, patience) = (progress, Date(timeIntervalSinceNow: 1))
            while !isDrained, Date() < min(end, patience) {
                _ = state.wait(until: min(end, patience))
                if progress != seen { (seen, patience) = (progress, Date(timeIntervalSinceNow: 1)) }
            }
        }
    }

    /// Writes what waits, as `flush`, and ends the thread. Nothing is written afterwards.
    public func end() {
        flush()
        state.withLock {
            isEnded = true
            state.broadcast()
        }
    }

    // Everything below, up to the thread, is called while `state` is locked.

    private var isDrained: Bool { lines.isEmpty && !isWriting && (dropped == 0 || isFailing) }

    private func wake() {
        if !isStarted {
            isStarted = true
            let thread = Thread { [self] in run() }
            thread.name = "log"
            thread.start()
        }
        state.broadcast()
    }

    private func append(_ bytes: [UInt8]) {
        if isDropping, size > capacity / 2 {
            dropped += 1
        } else if size + bytes.count > capacity {
            isDropping = true
            dropped += 1
        } else {
            isDropping = false
            appendDropped()
            lines.append(bytes)
            size += bytes.count
        }
    }

    private func appendDropped() {
        guard dropped > 0 else { return }
        let record = LogRecord(
            time: .now, level: .warning, label: label, source: "ServiceSettings",
            message: "log lines were dropped because nobody read them", metadata: ["dropped": "\(dropped)"])
        let bytes = Array(record.line(as: format).utf8)
        dropped = 0
        lines.append(bytes)
        size += bytes.count
    }

    // The thread.

    private func run() {
        // A reader that has gone is an error of the write, and must not end the process.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        while let batch = next() {
            var piece: [UInt8] = []
            var count = 0
            for line in batch {
                if count > 0, piece.count + line.count > Self.pieceSize {
                    write(piece, lines: count)
                    (piece, count) = ([], 0)
                }
                piece += line
                count += 1
            }
            write(piece, lines: count)
        }
    }

    /// Waits for lines; nil: there will be no more.
    private func next() -> [[UInt8]]? {
        state.withLock {
            isWriting = false
            while true {
                for record in repeated.take(at: .now) { append(Array(record.line(as: format).utf8)) }
                if lines.isEmpty, !isFailing { appendDropped() }
                if !lines.isEmpty {
                    isWriting = true
                    defer { lines = [] }
                    return lines
                }
                state.broadcast()
                if isEnded { return nil }
                if let next = repeated.next {
                    _ = state.wait(until: Date(timeIntervalSinceNow: max(0, (next - .now) / .seconds(1))))
                } else {
                    state.wait()
                }
            }
        }
    }

    private func write(_ piece: [UInt8], lines count: Int) {
        let isWritten = writeAll(piece)
        state.withLock {
            size -= piece.count
            progress += 1
            isFailing = !isWritten
            if !isWritten { dropped += count }
            state.broadcast()
        }
    }

    /// Waits as long as it takes.
    private func writeAll(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    // Whoever shares the descriptor has made it not wait.
                    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = Foundation.poll(&poll, 1, -1)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}
