extension JSONValue {
    /// The document as the provider writes it: compact, `meta` before everything else, slashes escaped as `\/`, all
    /// that is not ASCII as `\uXXXX`. Members keep their order otherwise, and numbers their spelling.
    public func wireBytes() -> [UInt8] {
        var bytes: [UInt8] = []
        if case .object(let members) = self {
            JSONValue.object(members.filter { $0.key == "meta" } + members.filter { $0.key != "meta" })
                .write(to: &bytes)
        } else {
            write(to: &bytes)
        }
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        case .number(let text): bytes.append(contentsOf: text.utf8)
        case .string(let text): Self.writeEscaped(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.writeEscaped(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func writeEscaped(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for unit in text.utf16 {
            switch unit {
            case 0x22, 0x5C, 0x2F: bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(unit)])
            case 0x08: bytes.append(contentsOf: "\\b".utf8)
            case 0x0C: bytes.append(contentsOf: "\\f".utf8)
            case 0x0A: bytes.append(contentsOf: "\\n".utf8)
            case 0x0D: bytes.append(contentsOf: "\\r".utf8)
            case 0x09: bytes.append(contentsOf: "\\t".utf8)
            case 0x20..<0x80: bytes.append(UInt8(unit))
            default: appendUnicodeEscape(unit, to: &bytes)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// `\u` and four lower-case hexadecimal digits.
    static func appendUnicodeEscape(_ unit: UInt16, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] {
            let digit = UInt8(unit >> UInt16(shift) & 15)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
