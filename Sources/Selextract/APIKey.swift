public import Foundation

/// Access for a program in an account's name, a row of `api_keys`.
public struct APIKey: Sendable, Codable, Hashable, Identifiable {
    public var id: UUID
    public var userID: UUID
    public var name: String
    public var description: String?
    /// SHA-256 of the key's text, 64 hexadecimal digits in lower case.
    public var keyHash: String
    /// The first characters of the key's text, at most 10.
    public var keyPrefix: String
    /// Behind by up to a minute.
    public var lastUsedAt: Date?
    /// Whether it opens anything; a revoked key does not, and stays so.
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

    /// It opens nothing from now on.
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
