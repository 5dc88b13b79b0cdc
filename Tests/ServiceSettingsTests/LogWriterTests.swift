import Foundation
import Logging
import ServiceSettings
import Testing

@Suite("The log's writer", .timeLimit(.minutes(5)))
struct LogWriterTests {
    @Test("Who logs does not wait when nobody reads, and is told later how much was lost")
    func fullPipe() throws {
        let log = try PipedLog(capacity: 100_000)
        for number in 0..<10_000 { log.logger.info("line", metadata: ["number": "\(number)"]) }
        // The pipe holds 64 KiB, the buffer 100,000 bytes: here most of it is lost, and nothing has waited.
        let lines = try log.readToEnd { log.logger.info("afterwards") }
        let numbers = lines.compactMap { $0["number"].flatMap { $0 as? String }.flatMap(Int.init) }
        #expect(numbers == Set(numbers).sorted())
        #expect(numbers.count < 5000)
        let dropped = lines.compactMap { $0["dropped"].flatMap { $0 as? String }.flatMap(Int.init) }
        // While the pipe fills there may be room again for a moment.
        #expect((1...3).contains(dropped.count))
        #expect(numbers.count + dropped.reduce(0, +) == 10_000 + (lines.contains { $0.isAfterwards } ? 0 : 1))
    }

    @Test("The number of lost lines is told even if nothing more is logged")
    func countWithoutFurtherLine() throws {
        let log = try PipedLog(capacity: 10_000)
        for number in 0..<2000 { log.logger.info("line", metadata: ["number": "\(number)"]) }
        let lines = try log.readToEnd {}
        let kept = lines.count { $0["number"] != nil }
        #expect(lines.last?["dropped"] != nil)
        #expect(lines.compactMap { ($0["dropped"] as? String).flatMap(Int.init) }.reduce(kept, +) == 2000)
    }

    @Test("Faults that repeat are told once a second, and all are counted")
    func repeated() throws {
        let log = try PipedLog(capacity: 1 << 20)
        let start = ContinuousClock.now
        for number in 0..<5000 { log.logger.error("database is away", metadata: ["number": "\(number)"]) }
        for _ in 0..<3 { log.logger.warning("database is away") }
        let seconds = Int((ContinuousClock.now - start) / .seconds(1))
        let lines = try log.readToEnd {}
        let errors = lines.filter { $0["level"] as? String == "error" }
        #expect((2...(2 + seconds)).contains(errors.count))
        #expect(errors.first?["repeated"] == nil)
        #expect(errors.first?["number"] as? String == "0")
        #expect(errors.last?["number"] as? String == "4999")
        #expect(errors.map { ($0["repeated"] as? String).flatMap(Int.init) ?? 1 }.reduce(0, +) == 5000)
        let warnings = lines.filter { $0["level"] as? String == "warning" }
        #expect(warnings.map { ($0["repeated"] as? String).flatMap(Int.init) ?? 1 }.reduce(0, +) == 3)
    }

    @Test("A fault that repeats is told at the end of its second, without another to push it")
    func endOfSecond() async throws {
        let log = try PipedLog(capacity: 1 << 20, interval: .milliseconds(50))
        log.logger.error("one")
        log.logger.error("one")
        log.logger.error("one")
        let first = try log.readLine()
        #expect(first["repeated"] == nil)
        // One line on a machine that is quick; one each where a call takes longer than the interval.
        var told = 1
        while told < 3 {
            let line = try log.readLine()
            told += (line["repeated"] as? String).flatMap(Int.init) ?? 1
        }
        #expect(told == 3)
        #expect(try log.readToEnd {}.isEmpty)
    }

    @Test("What tells of one thing is never held back", arguments: [Logger.Level.info, .debug, .trace])
    func single(_ level: Logger.Level) throws {
        let log = try PipedLog(capacity: 1 << 20)
        for number in 0..<100 { log.logger.log(level: level, "delivery stored", metadata: ["number": "\(number)"]) }
        #expect(try log.readToEnd {}.count == 100)
    }

    @Test("When the reader has gone nothing happens but that lines are lost")
    func brokenPipe() throws {
        let log = try PipedLog(capacity: 10_000)
        log.closeReader()
        for _ in 0..<1000 { log.logger.info("line") }
        log.writer.end()
        log.closeWriter()
    }

    @Test("At the end nobody is waited for longer than a second")
    func endWithoutReader() throws {
        let log = try PipedLog(capacity: 1 << 20)
        for _ in 0..<2000 { log.logger.info("line") }
        let start = ContinuousClock.now
        log.writer.flush()
        #expect(ContinuousClock.now - start >= .milliseconds(900))
        _ = try log.readToEnd {}
    }
}

/// A writer into a pipe, which is read only when a test says so.
private final class PipedLog: Sendable {
    let writer: LogWriter
    private let pipe: (reader: Int32, writer: Int32)

    init(capacity: Int, interval: Duration = .seconds(1)) throws {
        var ends: [Int32] = [0, 0]
        try #require(Foundation.pipe(&ends) == 0)
        pipe = (ends[0], ends[1])
        writer = LogWriter(descriptor: ends[1], capacity: capacity, interval: interval)
    }

    var logger: Logger {
        var logger = Logger(label: "test") { label in
            RecordLogHandler(label: label) { self.writer.log($0, as: .json) }
        }
        logger.logLevel = .trace
        return logger
    }

    func closeReader() { close(pipe.reader) }
    func closeWriter() { close(pipe.writer) }

    func readLine() throws -> [String: Any] {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(pipe.reader, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        return try LogRecordTests.members(String(decoding: line, as: UTF8.self))
    }

    /// Reads all that is written until `body` has returned and the writer has ended; then the pipe is of no use.
    func readToEnd(_ body: () -> Void) throws -> [[String: Any]] {
        let reader = pipe.reader
        let collected = Collected()
        let done = DispatchSemaphore(value: 0)
        Thread {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while case let count = read(reader, &buffer, buffer.count), count > 0 {
                collected.bytes += buffer[..<count]
            }
            done.signal()
        }.start()
        body()
        writer.end()
        close(pipe.writer)
        done.wait()
        close(reader)
        return try String(decoding: collected.bytes, as: UTF8.self).split(separator: "\n")
            .map { try LogRecordTests.members(String($0)) }
    }

    private final class Collected: @unchecked Sendable {
        // Proof: the thread that reads has ended before another looks.
        var bytes: [UInt8] = []
    }
}

extension [String: Any] {
    fileprivate var isAfterwards: Bool { self["message"] as? String == "afterwards" }
}
