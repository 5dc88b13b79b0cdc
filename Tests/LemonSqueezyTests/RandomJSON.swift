import LemonSqueezy
import Payloads

/// Random documents and random spellings of them.
enum RandomJSON {
    private static let scalars = Array(
        "abcXYZ019 _-/\\\"\u{0}\u{1F}\n\t\r\u{8}\u{C}\u{7F}éßñ漢字🍋\u{301}\u{FFFF}\u{200D}".unicodeScalars)
    private static let numbers = [
        "0", "-0", "1", "-1", "42", "1900", "9007199254740993", "1.5", "-0.25", "1e3", "1E-3", "2.50e+2", "0.0", "0e0",
    ]

    static func value(depth: Int, using random: inout SplitMix) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .number(one(of: numbers, using: &random))
        case 3, 4: return .string(string(using: &random))
        case 5:
            let count = Int.random(in: 0...4, using: &random)
            return .array((0..<count).map { _ in value(depth: depth - 1, using: &random) })
        default:
            var keys: Set<String> = []
            for _ in 0..<Int.random(in: 0...6, using: &random) { keys.insert(string(using: &random)) }
            let shuffled = keys.sorted().shuffled(using: &random)
            return .object(shuffled.map { .init($0, value(depth: depth - 1, using: &random)) })
        }
    }

    private static func string(using random: inout SplitMix) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            text.unicodeScalars.append(one(of: scalars, using: &random))
        }
        return text
    }

    /// The document with random white space and random escapes; keys stay in order.
    static func spell(_ value: JSONValue, using random: inout SplitMix) -> [UInt8] {
        var bytes = space(using: &random)
        switch value {
        case .null: bytes += Array("null".utf8)
        case .bool(let flag): bytes += Array("\(flag)".utf8)
        case .number(let text): bytes += Array(text.utf8)
        case .string(let text): bytes += spell(text, using: &random)
        case .array(let elements):
            var parts: [[UInt8]] = []
            for element in elements { parts.append(spell(element, using: &random)) }
            bytes += [UInt8(ascii: "[")] + parts.joined(separator: [UInt8(ascii: ",")]) + space(using: &random)
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            var parts: [[UInt8]] = []
            for member in members {
                let key = space(using: &random) + spell(member.key, using: &random) + space(using: &random)
                parts.append(key + [UInt8(ascii: ":")] + spell(member.value, using: &random))
            }
            bytes += [UInt8(ascii: "{")] + parts.joined(separator: [UInt8(ascii: ",")]) + space(using: &random)
            bytes.append(UInt8(ascii: "}"))
        }
        return bytes + space(using: &random)
    }

    private static func spell(_ text: String, using random: inout SplitMix) -> [UInt8] {
        var spelled = "\""
        for scalar in text.unicodeScalars {
            let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
            if mustEscape || Int.random(in: 0..<4, using: &random) == 0 {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: Bool.random(using: &random))
                    spelled += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                spelled.unicodeScalars.append(scalar)
            }
        }
        return Array((spelled + "\"").utf8)
    }

    private static func space(using random: inout SplitMix) -> [UInt8] {
        guard Int.random(in: 0..<6, using: &random) == 0 else { return [] }
        return one(of: [[0x20], [0x0A], [0x0D, 0x0A], [0x09, 0x20]], using: &random)
    }

    /// Any of the elements, of which there must be one.
    static func one<Element>(of elements: [Element], using random: inout SplitMix) -> Element {
        elements[Int.random(in: elements.indices, using: &random)]
    }
}
