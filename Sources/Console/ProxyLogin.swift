import Foundation

/// A login that a proxy has taken care of: it names the person in a header. Only the TCP peer's own address says whether
/// it is that proxy; what a header tells of addresses could be anybody's.
public struct ProxyLogin: Sendable, Hashable {
    /// In lower case.
    let header: String
    let networks: [Network]

    /// - Returns: nil if that is no name of a header, or one of the networks is none.
    public init?(header: String, networks: [String]) {
        let parsed = networks.map(Network.init)
        guard header.wholeMatch(of: #/[A-Za-z0-9-]+/#) != nil, !networks.isEmpty, !parsed.contains(nil) else {
            return nil
        }
        self.header = header.lowercased()
        self.networks = parsed.compactMap(\.self)
    }

    /// Who is logged in; nil if the peer is no proxy of ours, or names nobody.
    ///
    /// - Throws: if the proxy passes on what somebody else has added: a second field of that name, or one whose name
    ///   other programs take for the same.
    func name(in request: ConsoleRequest) throws(ConsoleAccess.Refusal) -> String? {
        guard networks.contains(where: { $0.contains(request.peer) }) else { return nil }
        let alike = request.headers.filter { $0.key.replacing("_", with: "-") == header }
        guard let values = alike[header], alike.count == 1, values.count == 1 else {
            if alike.isEmpty { return nil }
            throw ConsoleAccess.Refusal(status: 403, text: "The proxy names more than one person.")
        }
        let name = values[0].trimmingCharacters(in: .whitespaces)
        guard !name.isEmpty else { return nil }
        guard name.utf8.count <= 200, name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }),
            !name.contains(",")
        else {
            throw ConsoleAccess.Refusal(status: 403, text: "The proxy names nobody that could be recorded.")
        }
        return name
    }
}

/// Addresses with the same beginning, as `10.0.0.0/8` or `2001:db8::/32`; without a slash it is a single one.
struct Network: Sendable, Hashable {
    private let bytes: [UInt8]
    private let length: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let bytes = Self.bytes(of: parts[0]) else { return nil }
        var length = bytes.count * 8
        if parts.count == 2 {
            guard let number = Int(parts[1]), (0...length).contains(number), parts[1].allSatisfy(\.isNumber) else {
                return nil
            }
            length = number
        }
        self.bytes = bytes
        self.length = length
    }

    func contains(_ address: String) -> Bool {
        guard let other = Self.bytes(of: address), other.count == bytes.count else { return false }
        let whole = length / 8
        guard bytes.prefix(whole) == other.prefix(whole) else { return false }
        guard length % 8 != 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF << (8 - length % 8))
        return bytes[whole] & mask == other[whole] & mask
    }

    /// 4 bytes or 16; an IPv4 address within IPv6's is that IPv4 address.
    private static func bytes(of text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var sixteen = in6_addr()
        guard inet_pton(AF_INET6, text, &sixteen) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: sixteen) { Array($0) }
        let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10...11].allSatisfy { $0 == 0xFF }
        return isMapped ? Array(bytes[12...]) : bytes
    }
}
