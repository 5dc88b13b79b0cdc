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

    /// The places of the members by their keys' bytes, not by `String`'s order, which takes differently composed characters
    /// for equal. Of equal keys the last one counts.
    ///
    /// The provider writes its keys in one order, so that few have to move far: each is inserted where it belongs.
    private static func order(_ members: [Member]) -> [Int] {
        if members.count > 100 { return longOrder(members) }
        var order: [Int] = []
        order.reserveCapacity(members.count)
        for place in members.indices {
            var (low, high) = (0, order.count)
            while low < high {
                let middle = (low + high) / 2
                if compareBytes(members[order[middle]].key, members[place].key) < 0 {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            if low < order.count, members[order[low]].key.utf8.elementsEqual(members[place].key.utf8) {
                order[low] = place
            } else {
                order.insert(place, at: low)
            }
        }
        return order
    }

    /// The same of an object that nobody meant to be sorted by insertion.
    private static func longOrder(_ members: [Member]) -> [Int] {
        let order = members.indices.sorted { left, right in
            switch compareBytes(members[left].key, members[right].key) {
            case 0: left < right
            case let comparison: comparison < 0
            }
        }
        // Equal keys are neighbours now, in the order they came.
        return zip(order, order.dropFirst().map(Optional.some) + [nil]).compactMap { index, next in
            if let next, compareBytes(members[index].key, members[next].key) == 0 { return nil }
            return index
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
