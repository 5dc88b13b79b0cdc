public import Foundation

/// Access for a program in an account's name, a row of `api_keys`. Times are UTC.
public struct APIKey: Sendable, Codable, Hashable, Identifiable {
    public var id: UUID
    public var userID: UUID
    public var name: String
    public var description: String?
    /// SHA-256 of the key's text, 64 hexadecimal digits in lower case.
    public var keyHash: String
    /// The first characters of the key's text, at most 10.
    public var keyPrefix: String
    /// When it was last used; up to a minute behind, since it is written at most once a minute. nil: never.
    public var lastUsedAt: Date?
    /// Whether the key is valid. A revoked one never becomes valid again.
    public var isActive: Bool
    public var createdAt: Date

    /// The columns.
    public enum CodingKeys: String, CodingKey {
        case id
        case userID = "user_id"
        case name, description
        case keyHash = "key_hash"
        case keyPrefix = "key_prefix"
        case lastUsedAt = "last_used_at"
        case isActive = "is_active"
        case createdAt = "created_at"
    }

    public init(
        id: UUID, userID: UUID, name: String, description: String? = nil, keyHash: String, keyPrefix: String,
        lastUsedAt: Date? = nil, isActive: Bool = true, createdAt: Date
    ) {
        self.id = id
        self.userID = userID
        self.name = name
        self.description = description
        self.keyHash = keyHash
        self.keyPrefix = keyPrefix
        self.lastUsedAt = lastUsedAt
        self.isActive = isActive
        self.createdAt = createdAt
    }

    /// The row for a key's text. `sha256` gives the digest of a message, 32 bytes.
    public init(
        id: UUID, userID: UUID, name: String, description: String? = nil, text: APIKeyText, createdAt: Date,
        sha256: ([UInt8]) -> [UInt8]
    ) {
        self.init(
            id: id, userID: userID, name: name, description: description, keyHash: text.hash(sha256: sha256),
            keyPrefix: text.prefix, createdAt: createdAt)
    }

    /// Whether `last_used_at` is to be written for a use at `moment`: at most once a minute, and never back.
    public func needsLastUse(at moment: Date) -> Bool {
        lastUsedAt.map { moment.timeIntervalSince($0) >= 60 } ?? true
    }

    /// Whether a text of this program's form can be its key. If not, another program made it, and it opens nothing here.
    public var isOpenable: Bool {
        keyPrefix.hasPrefix(APIKeyText.mark) && keyHash.utf8.count == 64
            && keyHash.utf8.allSatisfy {
                Character(Unicode.Scalar($0)).isHexDigit && !Character(Unicode.Scalar($0)).isUppercase
            }
    }

    /// Makes the key invalid for good.
    public mutating func revoke() { isActive = false }
}

extension APIKeyText {
    /// What is stored of it, and looked up: the digest as hexadecimal digits in lower case. `sha256` gives the digest of
    /// a message, 32 bytes.
    public func hash(sha256: ([UInt8]) -> [UInt8]) -> String {
        let hex = Array("0123456789abcdef".utf8)
        let digits = sha256(bytes).flatMap { [hex[Int($0 >> 4)], hex[Int($0 & 15)]] }
        return String(decoding: digits, as: UTF8.self)
    }
}

/// The text of an API key, which only its owner has: `slx_` and 43 digits to base 62, which carry 256 random bits.
///
/// It is shown once. Printing one, or something that contains it, shows its prefix only.
public struct APIKeyText: Sendable, Hashable {
    /// All of it: for the owner, and for hashing.
    public let secret: String

    /// What each key begins with, so that people and secret scanners know it for one.
    public static let mark = "slx_"
    private static let digitCount = 43
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// nil if the text does not have the form of a key; then no query is needed to refuse it.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count == Self.mark.utf8.count + Self.digitCount, bytes.starts(with: Self.mark.utf8),
            bytes.dropFirst(Self.mark.utf8.count).allSatisfy({ Self.alphabet.contains($0) })
        else { return nil }
        secret = text
    }

    /// A new key with 256 bits of `random`.
    public init(using random: inout some RandomNumberGenerator) {
        let words = (0..<4).map { _ in random.next() }
        secret = Self.mark + Self.digits(of: words)
    }

    /// A new key with 256 bits of the system's random generator.
    public init() {
        var random = SystemRandomNumberGenerator()
        self.init(using: &random)
    }

    /// The first 10 characters: enough to tell one's keys apart, and 36 of the 256 bits.
    public var prefix: String { String(secret.prefix(10)) }

    /// The bytes that are hashed with SHA-256 to store a key and to look it up: all of the text, UTF-8.
    public var bytes: [UInt8] { Array(secret.utf8) }

    /// A number of 256 bits, most significant word first, to base 62 with zeros in front: 62^43 is just above 2^256.
    private static func digits(of words: [UInt64]) -> String {
        var words = words
        var digits: [UInt8] = []
        for _ in 0..<digitCount {
            var remainder: UInt64 = 0
            for index in words.indices {
                (words[index], remainder) = UInt64(62).dividingFullWidth((remainder, words[index]))
            }
            digits.append(alphabet[Int(remainder)])
        }
        return String(decoding: digits.reversed(), as: UTF8.self)
    }
}

extension APIKeyText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { prefix + "…" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
