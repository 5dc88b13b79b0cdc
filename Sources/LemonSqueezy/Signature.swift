/// The `X-Signature` header: HMAC-SHA256 of the raw body under the signing secret, as 64 lower-case hexadecimal digits.
public enum Signature {
    /// Which secret signed the body.
    ///
    /// - Parameters:
    ///   - headerValues: every value of the header, as received. Anything but exactly one is not authentic: of two, a
    ///     proxy might check the one and this program the other.
    ///   - body: the bytes as they came. A body that was decoded and encoded again has another signature.
    ///   - secrets: the current secret is tried first.
    /// - Returns: nil if the delivery is not authentic.
    public static func verify(_ headerValues: [String], body: [UInt8], secrets: SigningSecrets) -> SecretMatch? {
        guard headerValues.count == 1, let code = decode(headerValues[0]) else { return nil }
        if HMACSHA256.areEqual(code, HMACSHA256.code(body, key: secrets.current)) { return .current }
        if let previous = secrets.previous, HMACSHA256.areEqual(code, HMACSHA256.code(body, key: previous)) {
            return .previous
        }
        return nil
    }

    /// The header's value for a body, as the provider would send it: for replaying fixtures and for tests.
    public static func sign(_ body: [UInt8], secret: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let code = HMACSHA256.code(body, key: Array(secret.utf8))
        return String(decoding: code.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The 32 bytes of 64 lower-case hexadecimal digits. Decoding first makes the comparison one of equal lengths, and
    /// refusing upper case leaves one spelling for each signature.
    private static func decode(_ header: String) -> [UInt8]? {
        let digits = Array(header.utf8)
        guard digits.count == 64 else { return nil }
        var code: [UInt8] = []
        code.reserveCapacity(32)
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = nibble(digits[index]), let low = nibble(digits[index + 1]) else { return nil }
            code.append(high << 4 | low)
        }
        return code
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

/// The secrets a webhook's deliveries may be signed with: the current one, and while it is being changed the one
/// before it, since the provider knows only one secret for each webhook.
///
/// The secrets are taken verbatim, as UTF-8. They show in no description, debug description, dump or mirror.
public struct SigningSecrets: Sendable {
    let current: [UInt8]
    let previous: [UInt8]?

    /// Takes the secrets as they are, white space included.
    ///
    /// - Throws: `EmptySecret` if one is empty: anybody could sign with that.
    public init(current: String, previous: String? = nil) throws(EmptySecret) {
        guard !current.isEmpty else { throw .current }
        guard previous != "" else { throw .previous }
        self.current = Array(current.utf8)
        self.previous = previous.map { Array($0.utf8) }
    }

    /// Which of the secrets was empty.
    public enum EmptySecret: Error, Hashable, Sendable {
        case current, previous
    }
}

extension SigningSecrets: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "SigningSecrets(hidden)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// Which secret a delivery was signed with (R1). The raw values are what the inbox stores.
public enum SecretMatch: String, Hashable, Sendable, Codable, CaseIterable {
    case current, previous
}
