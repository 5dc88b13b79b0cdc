import Foundation

extension JSONValue {
    /// One spelling for all documents of the same content: keys sorted by their UTF-8 bytes at every level, of equal
    /// keys the last, only the escapes that JSON demands, numbers by ``DecimalText``. The digest of R7 is taken of it.
    ///
    /// `key` names a member of this object, not of those inside it, that is left out.
    func canonicalBytes(without key: String? = nil) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2048)
        writeCanonical(to: &bytes, without: key)
        return bytes
    }

    private func writeCanonical(to bytes: inout [UInt8], without key: String? = nil) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        case .number(let text): bytes.append(contentsOf: DecimalText.canonical(text).utf8)
        case .string(let text): Self.writeMinimal(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for element in elements {
                element.writeCanonical(to: &bytes)
                bytes.append(UInt8(ascii: ","))
            }
            if !elements.isEmpty { bytes.removeLast() }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            let start = bytes.count
            for place in Self.order(members) where members[place].key != key {
                Self.writeMinimal(members[place].key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                members[place].value.writeCanonical(to: &bytes)
                bytes.append(UInt8(ascii: ","))
            }
            if bytes.count > start { bytes.removeLast() }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// The place of a member, and how its key begins: eight bytes as one number, so that most keys are compared at once.
    private struct SortedKey {
        let beginning: UInt64
        let place: Int

        init(_ key: String, at place: Int) {
            self.place = place
            var key = key
            beginning = key.withUTF8 { bytes in
                // A shorter key ends with zeros: it belongs before all that begin with it.
                (0..<8).reduce(0) { $0 << 8 | ($1 < bytes.count ? UInt64(bytes[$1]) : 0) }
            }
        }
    }

    /// The places of the members by their keys' bytes, not by `String`'s order, which takes differently composed characters
    /// for equal. Of equal keys the last one counts.
    private static func order(_ members: [Member]) -> [Int] {
        func compare(_ left: SortedKey, _ right: SortedKey) -> Int {
            if left.beginning != right.beginning { return left.beginning < right.beginning ? -1 : 1 }
            return compareBytes(members[left.place].key, members[right.place].key)
        }
        let keys = members.indices.map { SortedKey(members[$0].key, at: $0) }.sorted { left, right in
            switch compare(left, right) {
            case 0: left.place < right.place
            case let comparison: comparison < 0
            }
        }
        // Equal keys are neighbours now, in the order they came.
        return keys.indices.compactMap { index in
            let isRepeated = index + 1 < keys.count && compare(keys[index], keys[index + 1]) == 0
            return isRepeated ? nil : keys[index].place
        }
    }

    private static func compareBytes(_ left: String, _ right: String) -> Int {
        var (left, right) = (left, right)
        return left.withUTF8 { left in
            right.withUTF8 { right in
                let (common, lengths) = (min(left.count, right.count), left.count - right.count)
                // Only an empty text may have no address.
                guard common > 0, let left = left.baseAddress, let right = right.baseAddress else { return lengths }
                let comparison = Int(memcmp(left, right, common))
                return comparison != 0 ? comparison : lengths
            }
        }
    }

    private static func writeMinimal(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { text in
            // Most texts have nothing to escape.
            guard text.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) else {
                bytes.append(contentsOf: text)
                return
            }
            for byte in text {
                switch byte {
                case 0x22, 0x5C:
                    bytes.append(UInt8(ascii: "\\"))
                    bytes.append(byte)
                case 0..<0x20: appendUnicodeEscape(UInt16(byte), to: &bytes)
                default: bytes.append(byte)
                }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// The text of a JSON number, made comparable without losing a digit to a machine type.
enum DecimalText {
    /// One spelling for all texts of the same number: `1`, `1.0`, `10e-1` and `0.1E+1` are `1`.
    ///
    /// A number of more than 18 digits, or one that is no integer, is its digits without zeros at either end and the
    /// power of ten they are multiplied by: `19.90` is `199e-1`.
    static func canonical(_ text: String) -> String {
        let isShortInteger = text.utf8.count <= 18 && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        if isShortInteger { return text }

        let parts = text.lowercased().split(separator: "e", maxSplits: 1)
        let isNegative = parts[0].hasPrefix("-")
        let mantissa = parts[0].drop { $0 == "-" }.split(separator: ".", maxSplits: 1)
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        // An exponent beyond 64 bits cannot be computed with; such a text is only put in lower case.
        guard let written = parts.count > 1 ? Int(parts[1]) : 0,
            let exponent = Optional(written.subtractingReportingOverflow(fraction.utf8.count)), !exponent.overflow
        else { return text.lowercased() }

        let digits = (mantissa[0] + fraction).drop { $0 == "0" }
        guard let last = digits.lastIndex(where: { $0 != "0" }) else { return "0" }
        let significant = digits[...last]
        let (power, overflow) = exponent.partialValue.addingReportingOverflow(digits.count - significant.count)
        guard !overflow else { return text.lowercased() }
        let sign = isNegative ? "-" : ""
        if power >= 0, power <= 18, significant.utf8.count + power <= 18 {
            return sign + significant + String(repeating: "0", count: power)
        }
        return "\(sign)\(significant)e\(power)"
    }
}
