import Foundation
import Logging
import ServiceSettings
import Synchronization
import Testing

@Suite("JSON logs")
struct JSONLogHandlerTests {
    @Test("A record is one line of JSON, whatever its text holds")
    func oneLine() throws {
        let lines = LogLines()
        var logger = lines.logger
        logger[metadataKey: "request_id"] = "abc"
        logger.warning(
            "a \"message\"\nof two lines / slash",
            metadata: ["count": .stringConvertible(3), "list": ["a", "b"], "object": ["key": "välue"]])
        let line = try #require(lines.all.first)
        #expect(lines.all.count == 1)
        #expect(line.hasSuffix("}\n"))
        #expect(line.count { $0 == "\n" } == 1)
        let record = try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(record["level"] as? String == "warning")
        #expect(record["logger"] as? String == "test")
        #expect(record["message"] as? String == "a \"message\"\nof two lines / slash")
        #expect(record["request_id"] as? String == "abc")
        #expect(record["count"] as? String == "3")
        #expect(record["list"] as? [String] == ["a", "b"])
        #expect(record["object"] as? [String: String] == ["key": "välue"])
        let time = try #require(record["time"] as? String)
        #expect(time.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/#) != nil)
    }

    @Test("What is below the level is not written")
    func level() {
        let lines = LogLines()
        var logger = lines.logger
        logger.logLevel = .error
        logger.warning("no")
        logger.error("yes")
        #expect(lines.all.count == 1)
    }
}

/// Lines that were logged.
private final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { label in
            JSONLogHandler(label: label) { line in self.lines.withLock { $0.append(line) } }
        }
    }
}
