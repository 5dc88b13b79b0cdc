public import Foundation

/// The lines that a process writes into a pipe, read when they are asked for.
///
/// By threads that block, not by `readabilityHandler`: that leaves the descriptor to Dispatch, which on Linux now and then
/// crashes the process when one is closed and its number given to another at the same moment.
public actor PipedLines {
    /// To be given to the process.
    public nonisolated let pipe = Pipe()
    private var rest: [UInt8] = []

    public init() {}

    /// Waits for the next line; nil: the process, and whatever it started, writes no more. For one task at a time.
    public func next() async -> String? {
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                defer { rest.removeSubrange(...end) }
                return String(decoding: rest[..<end], as: UTF8.self)
            }
            let piece = await piece()
            if piece.isEmpty {
                defer { rest = [] }
                return rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self)
            }
            rest += piece
        }
    }

    /// Waits until the program says where it listens.
    ///
    /// - Parameter seen: given each line.
    /// - Returns: the lines until then, and the address; nil: it ended without listening.
    public func untilListening(
        _ seen: (String) -> Void = { _ in }
    ) async -> (lines: [String], url: String?) {
        let mark = "Listening on "
        var lines: [String] = []
        while let line = await next() {
            seen(line)
            lines.append(line)
            if line.hasPrefix(mark) { return (lines, String(line.dropFirst(mark.count))) }
        }
        return (lines, nil)
    }

    /// Reads the rest in the background, so that the process never waits for a reader.
    public nonisolated func drain(_ seen: @escaping @Sendable (String) -> Void = { _ in }) {
        Task { while let line = await next() { seen(line) } }
    }

    /// Nobody will read what it says.
    public func close() throws { try pipe.fileHandleForReading.close() }

    private func piece() async -> [UInt8] {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [handle = pipe.fileHandleForReading] in
                var bytes = [UInt8](repeating: 0, count: 1 << 16)
                var count = 0
                repeat { count = read(handle.fileDescriptor, &bytes, bytes.count) } while count < 0 && errno == EINTR
                continuation.resume(returning: Array(bytes.prefix(max(0, count))))
            }
        }
    }
}
