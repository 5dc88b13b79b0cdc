import Foundation
import Logging
import ServiceSettings
import Synchronization
import Testing

@Suite("Lines of the log")
struct LogRecordTests {
    @Test("A record is one line of JSON, whatever its text holds")
    func oneLine() throws {
        let lines = LogLines(.json)
        var logger = lines.logger
        logger[metadataKey: "request_id"] = "abc"
        logger.warning(
            "a \"message\"\nof two lines / slash",
            metadata: ["count": .stringConvertible(3), "list": ["a", "b"], "object": ["key": "välue"]])
        let line = try #require(lines.all.first)
        #expect(lines.all.count == 1)
        #expect(line.hasSuffix("}\n"))
        #expect(line.count { $0 == "\n" } == 1)
        let record = try Self.members(line)
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

    @Test("A record is one line of text, whatever it holds")
    func text() throws {
        let lines = LogLines(.text)
        lines.logger.error("two\nlines", metadata: ["b": "välue", "a": ["x", "1"]])
        let line = try #require(lines.all.first)
        let expected = #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z error test: (.*)\n/#
        let rest = try #require(line.wholeMatch(of: expected)?.output.1)
        #expect(rest == #"a=["x", "1"] b=välue [ServiceSettingsTests] two\nlines"#)
    }

    @Test("What controls a terminal or turns the writing is escaped", arguments: [Settings.LogFormat.text, .json])
    func hostileName(_ format: Settings.LogFormat) throws {
        // An escape sequence, a C1 one, right-to-left override, an isolate, ends of lines that are no "\n".
        let name = "\u{1b}[2JAda\u{9b}\u{202e}gnp.exe\u{2066}\u{2028}\u{85}\u{7f}\r\n"
        let lines = LogLines(format)
        lines.logger.warning("\(name)", metadata: ["\(name)": "\(name)"])
        let line = try #require(lines.all.first)
        let hostile = line.unicodeScalars.dropLast().filter { scalar in
            scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) || (0x2028...0x202E).contains(scalar.value)
                || (0x2066...0x2069).contains(scalar.value)
        }
        #expect(hostile.isEmpty, "\(line)")
        switch format {
        case .text: #expect(line.contains(#"\u{1B}[2JAda\u{009B}\u{202E}gnp.exe\u{2066}\u{2028}\u{0085}\u{7F}\r\n"#))
        case .json: #expect(try Self.members(line)["message"] as? String == name)
        }
    }

    @Test("Names in any script are written as they are")
    func scripts() throws {
        for name in ["Ádá Løvelace", "李小龍", "שלום", "محمد", "👩‍👩‍👧", "نامه‌ای"] {
            for format in [Settings.LogFormat.text, .json] {
                let lines = LogLines(format)
                lines.logger.info("\(name)")
                #expect(lines.all[0].contains(name))
            }
        }
    }

    @Test("What is below the level is not written")
    func level() {
        let lines = LogLines(.json)
        var logger = lines.logger
        logger.logLevel = .error
        logger.warning("no")
        logger.error("yes")
        #expect(lines.all.count == 1)
    }

    static func members(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
}

/// Lines that were logged.
private final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    private let format: Settings.LogFormat

    init(_ format: Settings.LogFormat) { self.format = format }

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { label in
            RecordLogHandler(label: label) { record in
                self.lines.withLock { $0.append(record.line(as: self.format)) }
            }
        }
    }
}
