public import Foundation
public import Selextract

/// Who a key belongs to, found by a look-up.
public struct KeyHolder: Sendable, Hashable {
    public var user: User
    public var key: APIKey
    /// The moment of the look-up, by the database's clock.
    public var at: Date

    public init(user: User, key: APIKey, at: Date) {
        self.user = user
        self.key = key
        self.at = at
    }
}

/// A key that was just created, with its text, which is not stored and cannot be shown again.
public struct NewAPIKey: Sendable, Hashable {
    public var key: APIKey
    public var text: APIKeyText

    public init(key: APIKey, text: APIKeyText) {
        self.key = key
        self.text = text
    }
}
