public import Billing
public import Databases
public import Foundation
import LemonSqueezy
public import Selextract

extension Store {
    /// Creates a key with 256 random bits. Its text is in what is returned, and nowhere else.
    ///
    /// - Throws: `StoreError.notFound` if there is no such account; `.conflict` if the name is empty or has more than
    ///   100 characters, or the description more than 500.
    public func createKey(for user: UUID, name: String, description: String? = nil) async throws -> NewAPIKey {
        try name.fitting(1...100, "a key's name")
        try description?.fitting(0...500, "a key's description")
        let text = APIKeyText()
        let id = UUID()
        let keys = try await transaction { transaction in
            let (_, keys) = try await transaction.fetch(
                Query<Void>(
                    """
                    insert into api_keys (id, user_id, name, description, key_hash, key_prefix, created_at)
                    select \(id), id, \(name), \(description), \(text.storedHash), \(text.prefix),
                        \(try await transaction.now())
                    from users where id = \(user)
                    """), Query<APIKey>(select: "from api_keys where id = \(id)"))
            return keys
        }
        guard let key = keys.first else { throw StoreError.notFound("account “\(user.text)”") }
        return NewAPIKey(key: key, text: text)
    }

    /// Newest first; of one account or of all.
    public func keys(user: UUID?, limit: Int, before: Cursor?) async throws -> Listing<APIKey> {
        try await reads.list(
            Query<APIKey>(
                select: """
                    from api_keys where \(.ownedBy(user)) and \(.behind(before, in: "api_keys"))
                    order by created_at desc, id desc limit \(limit)
                    """))
    }

    /// The key opens nothing from now on, in any process. Revoking it again changes nothing.
    ///
    /// - Parameters:
    ///   - user: whose it has to be; nil: anybody's, for operators.
    ///   - operator: who revokes it, for the record; nil: its owner does.
    /// - Throws: `StoreError.notFound`.
    public func revokeKey(_ id: UUID, of user: UUID?, by operator: Operator? = nil) async throws -> APIKey {
        let keys = try await transaction { transaction in
            if let `operator` { try await transaction.once(`operator`) }
            let (_, keys) = try await transaction.fetch(
                Query<Void>("update api_keys set is_active = false where id = \(id) and \(.ownedBy(user))"),
                Query<APIKey>(select: "from api_keys where id = \(id) and \(.ownedBy(user))"))
            if let key = keys.first, let `operator` {
                try await transaction.record([RecordedAct(.revoke, user: key.userID, key: id)], by: `operator`)
            }
            return keys
        }
        guard let key = keys.first else { throw StoreError.notFound("key “\(id.text)”") }
        return key
    }

    /// Whose key a text is, at this moment, read from the primary; nil if it is none, it is revoked, or its account is
    /// inactive. `last_used_at` is written at most once a minute.
    public func keyHolder(of text: String) async throws -> KeyHolder? {
        guard let hash = APIKeyText(text)?.storedHash else { return nil }
        return try await keyHolder(hash: hash)
    }

    /// The same by what is stored of the text.
    package func keyHolder(hash: String) async throws -> KeyHolder? {
        let clock = driver.clock?()
        let found = try await reads.fetch(
            Query<KeyHolder>(
                """
                select \(raw: User.columns.list(of: "u")), \(raw: APIKey.columns.list(of: "k")),
                    \(clock.map { "\($0)" } ?? .clock)
                from api_keys k join users u on u.id = k.user_id
                where k.key_hash = \(hash) and k.is_active and u.is_active
                order by k.created_at, k.id limit 1
                """
            ) { KeyHolder(user: try $0.record(User.self), key: try $0.record(APIKey.self), at: try $0.next()) })
        guard var holder = found.first, holder.key.needsLastUse(at: holder.at) else { return found.first }
        holder.key.lastUsedAt = holder.at
        // If several requests find at once that it is due, one of them writes. The key is valid whether or not this can
        // be written, and nobody waits for it: deliveries need the same connections.
        let (id, at) = (holder.key.id, holder.at)
        let limits = TransactionLimits(
            deadline: .now + .seconds(1), statement: .milliseconds(500), lock: .milliseconds(100))
        try? await transaction(limits) { try await $0.run(.markUse(ofKey: id, at: at)) }
        return holder
    }
}

extension SQL {
    /// A key whose row another holds is left alone.
    fileprivate static func markUse(ofKey id: UUID, at moment: Date) -> SQL {
        """
        update api_keys set last_used_at = \(moment)
        where id = (
            select id from api_keys where id = \(id) and (last_used_at is null or last_used_at <= \(moment - 60))
            \(SQL(postgreSQL: { "for no key update skip locked" }, sqlite: { "" }))
        )
        """
    }
}

extension APIKeyText {
    /// What `key_hash` holds.
    package var storedHash: String { hash(sha256: SHA256.digest) }
}

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
