extension JSONValue {
    /// Nesting beyond this many arrays and objects is refused, since parsing is recursive and the stack is finite. The
    /// provider's documents nest six deep.
    public static let depthLimit = 64

    /// Reads one JSON document (RFC 8259): valid UTF-8 without a byte order mark, nothing after it.
    ///
    /// A lone surrogate escape (`\ud800`), which no Unicode string can hold, becomes U+FFFD: it comes of a name that
    /// was cut off in the middle of a character, and must not make the event unreadable.
    public init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
        // Most bodies are ASCII, which is seen at once.
        let isASCII = bytes.withUnsafeBufferPointer { $0.allSatisfy { $0 < 0x80 } }
        guard isASCII || String(validating: bytes, as: UTF8.self) != nil else { throw JSONSyntaxError(offset: 0) }
        self = try bytes.withUnsafeBufferPointer { (bytes) throws(JSONSyntaxError) in
            var parser = JSONParser(bytes: bytes)
            return try parser.document()
        }
    }
}

/// A recursive descent over the bytes. Every access checks the bounds, since a body may be anything.
private struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    var index = 0
    /// The string under way, if it has escapes; kept to save an allocation for each.
    var unescaped: [UInt8] = []

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func document() throws(JSONSyntaxError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard index == bytes.count else { throw failure }
        return value
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return .object(try members(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try elements(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func members(depth: Int) throws(JSONSyntaxError) -> [JSONValue.Member] {
        guard depth <= JSONValue.depthLimit else { throw failure }
        index += 1
        var members: [JSONValue.Member] = []
        // The provider's objects have some thirty members, or one or two.
        if depth == 3 { members.reserveCapacity(40) }
        skipSpace()
        if skip(UInt8(ascii: "}")) { return members }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw failure }
            let key = try string()
            skipSpace()
            guard skip(UInt8(ascii: ":")) else { throw failure }
            members.append(JSONValue.Member(key, try value(depth: depth)))
            skipSpace()
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "}")) else { throw failure }
        return members
    }

    private mutating func elements(depth: Int) throws(JSONSyntaxError) -> [JSONValue] {
        guard depth <= JSONValue.depthLimit else { throw failure }
        index += 1
        var elements: [JSONValue] = []
        skipSpace()
        if skip(UInt8(ascii: "]")) { return elements }
        repeat {
            elements.append(try value(depth: depth))
            skipSpace()
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "]")) else { throw failure }
        return elements
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        for offset in 0..<text.utf8CodeUnitCount {
            guard skip(text.utf8Start[offset]) else { throw failure }
        }
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> String {
        let start = index
        _ = skip(UInt8(ascii: "-"))
        if !skip(UInt8(ascii: "0")) { try digits() }
        if skip(UInt8(ascii: ".")) { try digits() }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
            try digits()
        }
        return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<index]), as: UTF8.self)
    }

    private mutating func digits() throws(JSONSyntaxError) {
        let start = index
        while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { index += 1 }
        guard index > start else { throw failure }
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        index += 1
        var start = index
        unescaped.removeAll(keepingCapacity: true)
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                let rest = UnsafeBufferPointer(rebasing: bytes[start..<index])
                index += 1
                if unescaped.isEmpty { return String(decoding: rest, as: UTF8.self) }
                unescaped.append(contentsOf: rest)
                return String(decoding: unescaped, as: UTF8.self)
            } else if byte == UInt8(ascii: "\\") {
                unescaped.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<index]))
                try escape()
                start = index
            } else if byte < 0x20 {
                throw failure
            } else {
                index += 1
            }
        }
        throw failure
    }

    private mutating func escape() throws(JSONSyntaxError) {
        index += 1
        guard let byte = peek else { throw failure }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"):
            index += 1
            return try unicodeEscape()
        default: throw failure
        }
        index += 1
    }

    private mutating func unicodeEscape() throws(JSONSyntaxError) {
        var scalar = try fourHexDigits()
        if scalar & 0xFC00 == 0xD800 {
            let afterHigh = index
            if skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) {
                let low = try fourHexDigits()
                if low & 0xFC00 == 0xDC00 {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + (low & 0x3FF)
                } else {
                    index = afterHigh
                }
            } else {
                index = afterHigh
            }
        }
        unescaped.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
    }

    private mutating func fourHexDigits() throws(JSONSyntaxError) -> UInt32 {
        var number: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek else { throw failure }
            let digit: UInt8 =
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
                case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
                case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
                default: throw failure
                }
            number = number << 4 | UInt32(digit)
            index += 1
        }
        return number
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }
    private var failure: JSONSyntaxError { JSONSyntaxError(offset: index) }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }
}
