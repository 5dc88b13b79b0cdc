import Foundation
import Selextract
import Testing

@Suite("MetadataValue")
struct MetadataValueTests {
    @Test(
        "A JSON text is written again as it was read",
        arguments: [
            "null", "true", "false", "0", "-1", "9223372036854775807", "18446744073709551615",
            "12345678901234567890123456789012345678", "0.1", "-0.30000000000000004",
            "3.14159265358979323846264338327950288",
            "\"\"", "\"a/b é \\\"quoted\\\"\"", "[]", "{}", "[1,[2,{\"a\":null}],\"x\"]",
            "{\"a\":1,\"b\":{\"c\":[true,0.5]}}", "\"1\"", "\"true\"",
        ])
    func roundTrip(text: String) throws {
        let value = try MetadataValue(json: Data(text.utf8))
        #expect(String(decoding: try value.json(), as: UTF8.self) == text)
    }

    @Test(
        "A number that a Decimal cannot hold becomes the nearest Double",
        arguments: [
            ("1e300", 1e300), ("-1e300", -1e300), ("1e-300", 1e-300),
        ])
    func wide(text: String, number: Double) throws {
        let value = try MetadataValue(json: Data(text.utf8))
        #expect(value == .wide(number))
        #expect(try MetadataValue(json: value.json()) == value)
        #expect(MetadataValue(number) == value)
    }

    @Test("A zero is a zero", arguments: ["0", "0.0", "-0", "0e10"])
    func zero(text: String) throws {
        #expect(try MetadataValue(json: Data(text.utf8)) == 0)
    }

    @Test("A machine number keeps its shortest text", arguments: [0.1, 0.3, 1.1, 1e21, 1e-7, 3.133, 123_456.789, -2.5])
    func shortest(number: Double) throws {
        let value = try #require(MetadataValue(number))
        #expect(value == .number(try #require(Decimal(string: "\(number)"))))
        #expect(try JSONDecoder().decode(Double.self, from: value.json()) == number)
    }

    @Test("Infinities and NaN are no JSON", arguments: [Double.infinity, -.infinity, .nan])
    func notFinite(number: Double) {
        #expect(MetadataValue(number) == nil)
        #expect(throws: EncodingError.self) { try MetadataValue.wide(number).json() }
    }

    @Test("What is no JSON is refused", arguments: ["", "{", "nul", "1 2", "{\"a\"}", "'a'", "01"])
    func malformed(text: String) {
        #expect(throws: DecodingError.self) { try MetadataValue(json: Data(text.utf8)) }
    }

    @Test(
        "Whole numbers that fit are integers",
        arguments: [
            ("5", 5), ("5.0", 5), ("-7", -7), ("5e3", 5000), ("9223372036854775807", Int.max),
            ("9223372036854775808", nil),
            ("0.5", nil), ("1e300", nil), ("\"5\"", nil), ("true", nil), ("null", nil),
        ] as [(String, Int?)])
    func integer(text: String, integer: Int?) throws {
        #expect(try MetadataValue(json: Data(text.utf8)).integer == integer)
    }

    @Test("Literals make values, and keys find them")
    func literals() {
        let value: MetadataValue = ["url": "https://example.com/", "tries": 3, "ok": true, "seen": [1, "two"]]
        #expect(value["url"]?.text == "https://example.com/")
        #expect(value["tries"]?.integer == 3)
        #expect(value["ok"] == .bool(true))
        #expect(value["seen"] == .array([.number(1), .string("two")]))
        #expect(value["none"] == nil)
        #expect(value["seen"]?["0"] == nil)
    }

    @Test("U+0000 is replaced wherever it is")
    func withoutNUL() {
        let value: MetadataValue = ["a\0": ["x\0y", ["b": "\0"]], "plain": "z"]
        #expect(value.withoutNUL == ["a\u{FFFD}": ["x\u{FFFD}y", ["b": "\u{FFFD}"]], "plain": "z"])
        let log = TaskLog(
            id: Sample.id(6), taskID: Sample.id(2), message: "a\0b", metadata: value, timestamp: Sample.noon)
        #expect(log.message == "a\u{FFFD}b")
        #expect(log.metadata == value.withoutNUL)
    }

    @Test("A value made at random is read as it was written", arguments: 1...100 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let value = Self.value(depth: 4, using: &random)
        #expect(try MetadataValue(json: value.json()) == value)
    }

    static func value(depth: Int, using random: inout SeededGenerator) -> MetadataValue {
        switch Int.random(in: 0..<(depth == 0 ? 4 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2:
            let digits = Decimal(Int64.random(in: .min ... .max, using: &random))
            return .number(digits / (Bool.random(using: &random) ? 1 : 1_000_000))
        case 3:
            let scalars = (0..<Int.random(in: 0...8, using: &random)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0...0x2FFF, using: &random))
            }
            return .string(String(String.UnicodeScalarView(scalars)))
        case 4:
            return .array(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in value(depth: depth - 1, using: &random) })
        default:
            let members = (0..<Int.random(in: 0...4, using: &random)).map {
                ("key \($0)", value(depth: depth - 1, using: &random))
            }
            return .object(Dictionary(members) { $1 })
        }
    }
}
