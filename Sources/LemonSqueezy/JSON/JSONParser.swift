extension JSONValue {
    /// Nesting beyond this many arrays and objects is refused, since parsing is recursive and the stack is finite. The
    /// provider's documents nest six deep.
    public static let depthLimit = 64

    /// Reads one JSON document (RFC 8259): valid UTF-8 without a byte order mark, nothing after it.
    ///
    /// A lone surrogate escape (`\ud800`), which no Unicode string can hold, becomes U+FFFD: it comes of a name that
    /// was cut off in the middle of a character, and must not make the event unreadable.
    public init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
        try self.init(parsing: bytes, without: nil)
    }

    /// The same, but of the members of objects in the document's object the one called `key` is read as null, and only
    /// held to be JSON: what nobody asks for need not be made.
    init(parsing bytes: [UInt8], without key: String?) throws(JSONSyntaxError) {
        // Most bodies are ASCII, which is seen at once.
        let isASCII = bytes.reduce(0, |) < 0x80
        guard isASCII || String(validating: bytes, as: UTF8.self) != nil else { throw JSONSyntaxError(offset: 0) }
        self = try bytes.withUnsafeBufferPointer { (bytes) throws(JSONSyntaxError) in
            var parser = JSONParser(bytes: bytes, unwanted: key)
            return try parser.document()
        }
    }
}

/// A recursive descent over the bytes. Every access checks the bounds, since a body may be anything.
private struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    /// The key at depth 2 whose value is not made.
    let unwanted: String?
    var index = 0
    /// Whether what is read now is only checked.
    var isSkipping = false

    init(bytes: UnsafeBufferPointer<UInt8>, unwanted: String?) {
        self.bytes = bytes
        self.unwanted = unwanted
    }

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
        if !isSkipping { members.reserveCapacity(depth == 3 ? 40 : 2) }
        skipSpace()
        if skip(UInt8(ascii: "}")) { return members }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw failure }
            let key = try string()
            skipSpace()
            guard skip(UInt8(ascii: ":")) else { throw failure }
            if isSkipping {
                _ = try value(depth: depth)
            } else if depth == 2, key == unwanted {
                isSkipping = true
                _ = try value(depth: depth)
                isSkipping = false
                members.append(JSONValue.Member(key, .null))
            } else {
                members.append(JSONValue.Member(key, try value(depth: depth)))
            }
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
            let element = try value(depth: depth)
            if !isSkipping { elements.append(element) }
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
        if isSkipping { return "" }
        return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<index]), as: UTF8.self)
    }

    private mutating func digits() throws(JSONSyntaxError) {
        let start = index
        while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { index += 1 }
        guard index > start else { throw failure }
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        index += 1
        let start = index
        var hasEscapes = false
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                let raw = UnsafeBufferPointer(rebasing: bytes[start..<index])
                index += 1
                if isSkipping { return "" }
                return hasEscapes ? Self.unescaped(raw) : String(decoding: raw, as: UTF8.self)
            } else if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try escape()
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
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            index += 1
        case UInt8(ascii: "u"):
            index += 1
            _ = try fourHexDigits()
        default: throw failure
        }
    }

    /// The text of a string's bytes, whose escapes are known to be right.
    private static func unescaped(_ raw: UnsafeBufferPointer<UInt8>) -> String {
        // No escape is shorter than what it stands for, so that the text has room where its spelling had.
        String(unsafeUninitializedCapacity: raw.count) { text in
            var parser = JSONParser(bytes: raw, unwanted: nil)
            var end = 0
            while let byte = parser.peek {
                parser.index += 1
                if byte == UInt8(ascii: "\\") {
                    for byte in parser.escapedScalar().utf8 {
                        text.initializeElement(at: end, to: byte)
                        end += 1
                    }
                } else {
                    text.initializeElement(at: end, to: byte)
                    end += 1
                }
            }
            return end
        }
    }

    /// What the escape at hand, after its backslash, stands for.
    private mutating func escapedScalar() -> Unicode.Scalar {
        let byte = bytes[index]
        index += 1
        return switch byte {
        case UInt8(ascii: "b"): "\u{08}"
        case UInt8(ascii: "f"): "\u{0C}"
        case UInt8(ascii: "n"): "\n"
        case UInt8(ascii: "r"): "\r"
        case UInt8(ascii: "t"): "\t"
        case UInt8(ascii: "u"): unicodeScalar()
        default: Unicode.Scalar(byte)
        }
    }

    /// Of the digits at hand and, if they are the first half of a surrogate pair, of the escape after them.
    private mutating func unicodeScalar() -> Unicode.Scalar {
        guard let high = try? fourHexDigits() else { return "\u{FFFD}" }
        guard high & 0xFC00 == 0xD800 else { return Unicode.Scalar(high) ?? "\u{FFFD}" }
        let afterHigh = index
        if skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")), let low = try? fourHexDigits(), low & 0xFC00 == 0xDC00 {
            return Unicode.Scalar(0x10000 + (high & 0x3FF) << 10 + (low & 0x3FF)) ?? "\u{FFFD}"
        }
        index = afterHigh
        return "\u{FFFD}"
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
