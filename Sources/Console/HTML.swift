/// HTML written as a string whose interpolations are text, never markup: `"<td title=\"\(name)\">\(name)</td>"`. What is to
/// be markup is an ``HTML`` itself, and only literals of this program make one.
///
/// The same escapes hold in an element and in an attribute, which therefore always stands in quotes. No value is put into
/// a script or a style: pages have none of their own, and the policy of their answers forbids any.
public struct HTML: Sendable, Hashable, ExpressibleByStringInterpolation {
    public private(set) var text: String

    public init(stringLiteral text: String) { self.text = text }
    public init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    public static func += (left: inout HTML, right: HTML) { left.text += right.text }

    public struct StringInterpolation: StringInterpolationProtocol {
        var text = ""

        public init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        public mutating func appendLiteral(_ literal: String) { text += literal }

        public mutating func appendInterpolation(_ value: some StringProtocol) { text += escaped(value) }

        /// nil: nothing.
        public mutating func appendInterpolation(_ value: String?) { text += escaped(value ?? "") }

        public mutating func appendInterpolation(_ value: Int) { text += String(value) }

        public mutating func appendInterpolation(_ html: HTML) { text += html.text }

        public mutating func appendInterpolation(_ parts: [HTML]) {
            for part in parts { text += part.text }
        }

        /// An address within the console, for `href` and `action`: what came from outside names no other place.
        public mutating func appendInterpolation(_ link: Link) { text += escaped(link.text) }
    }
}

/// Text that means itself wherever it stands in a page. Controls, and the characters that turn the direction of what
/// follows, show as replaced: a name cannot change how the text around it reads.
private func escaped(_ text: some StringProtocol) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "'": result += "&#39;"
        case "\n", "\t": result.unicodeScalars.append(scalar)
        case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{200E}", "\u{200F}", "\u{202A}"..."\u{202E}",
            "\u{2066}"..."\u{2069}":
            result += "\u{FFFD}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// An address within the console. Each part of its path and each value is percent-encoded.
public struct Link: Sendable, Hashable {
    private(set) var text: String

    /// - Parameters:
    ///   - path: the components behind `/console/`.
    ///   - values: those that are nil or empty are left out.
    public init(_ path: String..., values: KeyValuePairs<String, String?> = [:]) {
        self.init(path, values.map { ($0.key, $0.value) })
    }

    init(_ path: [String], _ values: [(name: String, value: String?)]) {
        let query = values.compactMap { name, value in
            value.flatMap { $0.isEmpty ? nil : "\(encoded(name))=\(encoded($0))" }
        }
        text =
            "/console/" + path.map(encoded).joined(separator: "/")
            + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }
}

extension Link {
    /// The same with a further value in its query.
    func adding(_ name: String, _ value: String) -> Link {
        var link = self
        link.text += (text.contains("?") ? "&" : "?") + "\(encoded(name))=\(encoded(value))"
        return link
    }
}

private func encoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"):
            result.unicodeScalars.append(Unicode.Scalar(byte))
        // A component of dots alone would lead elsewhere.
        case UInt8(ascii: ".") where !text.allSatisfy({ $0 == "." }): result += "."
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
        }
    }
    return result
}
