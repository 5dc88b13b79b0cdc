import Foundation

extension JSONValue {
    /// One spelling for all documents of the same content: keys sorted by their UTF-8 bytes at every level, of equal keys
    /// the last, only the escapes that JSON demands, numbers by ``DecimalText``. The digest of R7 is taken of it.
    ///
    /// - Parameter key: a member of this object (not of those inside it) to leave out.
    func canonicalBytes(without key: String? = nil) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2048)
        if case .object(let members) = self, let key {
            JSONValue.object(members.filter { $0.key != key }).writeCanonical(to: &bytes)
        } else {
            writeCanonical(to: &bytes)
        }
        return bytes
    }

    private func writeCanonical(to bytes: inout [UInt8]) {
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
            for member in Self.sorted(members) {
                Self.writeMinimal(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.writeCanonical(to: &bytes)
                bytes.append(UInt8(ascii: ","))
            }
            if !members.isEmpty { bytes.removeLast() }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// Sorted by bytes, not by `String`'s order, which takes differently composed characters for equal.
    private static func sorted(_ members: [Member]) -> [Member] {
        let order = members.indices.sorted { left, right in
            switch compareBytes(members[left].key, members[right].key) {
            case 0: left < right
            case let comparison: comparison < 0
            }
        }
        // Equal keys are neighbours now, in the order they came; the last one counts.
        return zip(order, order.dropFirst().map(Optional.some) + [nil]).compactMap { index, next in
            if let next, compareBytes(members[index].key, members[next].key) == 0 { return nil }
            return members[index]
        }
    }

    private static func compareBytes(_ left: String, _ right: String) -> Int {
        var (left, right) = (left, right)
        return left.withUTF8 { left in
            right.withUTF8 { right in
                let common = min(left.count, right.count)
                let comparison = common == 0 ? 0 : Int(memcmp(left.baseAddress!, right.baseAddress!, common))
                return comparison != 0 ? comparison : left.count - right.count
            }
        }
    }

    private static func writeMinimal(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C:
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20: appendUnicodeEscape(UInt16(byte), to: &bytes)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
