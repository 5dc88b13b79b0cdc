public import Foundation
import LemonSqueezy
import Selextract

extension Store {
    /// Creates a key with 256 random bits. Its text is in what is returned, and nowhere else.
    ///
    /// - Throws: `StoreError.notFound` if there is no such account; `.conflict` if the name is empty or has more than 100
    ///   characters, or the description more than 500.
    public func createKey(for user: UUID, name: String, description: String? = nil) async throws -> NewAPIKey {
        try name.fitting(1...100, "a key's name")
        try description?.fitting(0...500, "a key's description")
        let text = APIKeyText()
        return NewAPIKey(
            key: try await createKey(text, for: user, name: name, description: description), text: text)
    }

    /// Whose key a text is, at this moment; nil if it is none, it is revoked, or its account is inactive.
    public func keyHolder(of text: String) async throws -> KeyHolder? {
        guard let key = APIKeyText(text) else { return nil }
        return try await keyHolder(hash: key.storedHash)
    }
}

extension APIKeyText {
    /// What `key_hash` holds.
    var storedHash: String { hash(sha256: SHA256.digest) }
}
