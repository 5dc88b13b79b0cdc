import LemonSqueezy
import Testing

@Suite("JSON parser")
struct JSONParserTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test("Members keep their order and numbers their spelling")
    func order() throws {
        #expect(
            try parse(#" { "b" : [ 1 , -0.50e+3 , null ] , "a" : { } , "t" : true, "f":false } "#)
                == .object([
                    .init("b", .array([.number("1"), .number("-0.50e+3"), .null])), .init("a", .object([])),
                    .init("t", .bool(true)), .init("f", .bool(false)),
                ]))
    }

    @Test("Of several members of one key the last counts")
    func duplicates() throws {
        let value = try parse(#"{"a":1,"b":2,"a":3}"#)
        #expect(value["a"] == .number("3"))
        #expect(value["c"] == nil)
        #expect(JSONValue.array([])["a"] == nil)
    }

    @Test(
        "Strings are unescaped",
        arguments: [
            (#""""#, ""), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u00e9é\u00E9""#, "ééé"),
            (#""\ud83c\udf4b🍋""#, "🍋🍋"), (#""a\u0000b""#, "a\0b"), (#""\ud83c""#, "\u{FFFD}"),
            (#""\udf4b""#, "\u{FFFD}"), (#""\ud83cx""#, "\u{FFFD}x"), (#""\ud83c\n""#, "\u{FFFD}\n"),
            (#""\ud83c\u0041""#, "\u{FFFD}A"), (#""\ud83c\ud83c\udf4b""#, "\u{FFFD}🍋"), ("\"\u{7F}\"", "\u{7F}"),
        ])
    func strings(text: String, expected: String) throws {
        guard case .string(let string) = try parse(text) else { return #expect(Bool(false)) }
        #expect(Array(string.utf8) == Array(expected.utf8))
    }

    @Test(
        "Numbers that no machine type holds are kept",
        arguments: ["1e999", "-12345678901234567890123456789012345678901"])
    func hugeNumbers(text: String) throws {
        #expect(try parse(text) == .number(text))
    }

    @Test(
        "What RFC 8259 does not know is refused",
        arguments: [
            "", " ", "{", "}", "[", "]", "[1,]", "[,1]", "[1 2]", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "{a:1}",
            #"{'a':1}"#,
            #"{"a":1 "b":2}"#, #"{1:1}"#, "01", "+1", "1.", ".5", "1e", "1e+", "-", "--1", "0x1", "1_000", "NaN",
            "Infinity",
            "nul", "nulll", "True", "tru", "\"", #""\"#, #""\x""#, #""\u12""#, #""\u12g4""#, #""\u+123""#, "\"\n\"",
            "\"\u{1F}\"", "1 1", "{} {}", "[]]", "null\0", "\u{FEFF}{}", "// comment\n{}", "{}/**/", "[1]\u{A0}",
            #""\ud83c\u12""#,
        ])
    func refused(text: String) {
        #expect(throws: JSONSyntaxError.self) { try parse(text) }
    }

    @Test(
        "Bytes that are not UTF-8 are refused",
        arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82]]
            as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22] + bytes + [0x22]) }
    }

    @Test("An error says where")
    func offset() {
        #expect(throws: JSONSyntaxError(offset: 6)) { try parse(#"{"a": ?}"#) }
    }

    @Test("Nesting is limited, and a hundred thousand brackets overflow nothing", arguments: ["[", #"{"a":"#])
    func depth(open: String) throws {
        let close = open == "[" ? "]" : "}"
        func nested(_ depth: Int) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        _ = try parse(nested(JSONValue.depthLimit))
        #expect(throws: JSONSyntaxError.self) { try parse(nested(JSONValue.depthLimit + 1)) }
        #expect(throws: JSONSyntaxError.self) { try parse(nested(100_000)) }
        #expect(throws: JSONSyntaxError.self) { try parse(String(repeating: open, count: 100_000)) }
    }

    @Test("Many small siblings are no nesting")
    func wide() throws {
        let text = "[" + Array(repeating: "[{}]", count: 1000).joined(separator: ",") + "]"
        guard case .array(let elements) = try parse(text) else { return #expect(Bool(false)) }
        #expect(elements.count == 1000)
    }
}
