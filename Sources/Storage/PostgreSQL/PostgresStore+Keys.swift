public import Foundation
import Postgres
public import Selextract

extension PostgresStore {
    public func createKey(
        _ text: APIKeyText, for user: UUID, name: String, description: String?
    ) async throws -> APIKey {
        do {
            let rows = try await connections.query(
                """
                insert into api_keys as k (user_id, name, description, key_hash, key_prefix, created_at)
                values (
                    \(user), \(name), \(description), \(text.storedHash), \(text.prefix), coalesce(\(clock?()), now())
                )
                returning to_jsonb(k)
                """)
            return try rows.rows()[0]
        } catch let error as PostgresError where error.isForeignKeyViolation {
            throw StoreError.notFound("account “\(user.text)”")
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }

    public func keys(user: UUID?, limit: Int, before: Cursor?) async throws -> [APIKey] {
        try await query(
            """
            select to_jsonb(k) from api_keys k
            where \(ownedBy: user)
                and \(behind: before, in: "api_keys", alias: "k")
            order by created_at desc, id desc limit \(limit)
            """
        ).rows()
    }

    public func revokeKey(_ id: UUID, of user: UUID?) async throws -> APIKey {
        let keys: [APIKey] = try await query(
            """
            update api_keys k set is_active = false
            where id = \(id) and \(ownedBy: user)
            returning to_jsonb(k)
            """
        ).rows()
        guard let key = keys.first else { throw StoreError.notFound("key “\(id.text)”") }
        return key
    }

    public func keyHolder(hash: String) async throws -> KeyHolder? {
        let rows = try await query(
            """
            select to_jsonb(u), to_jsonb(k), coalesce(\(clock?()), now())
            from api_keys k join users u on u.id = k.user_id
            where k.key_hash = \(hash) and k.is_active and u.is_active
            order by k.created_at, k.id limit 1
            """)
        guard let row = rows.first else { return nil }
        let (user, key, at) = try row.decode(PostgresJSON.self, PostgresJSON.self, Date.self)
        var holder = KeyHolder(user: try user.row(), key: try key.row(), at: at)
        guard holder.key.needsLastUse(at: at) else { return holder }
        holder.key.lastUsedAt = at
        // Of several that see it due at once, one writes. A key opens what it opens whether or not this can be written.
        _ = try? await query(
            """
            update api_keys set last_used_at = \(at)
            where id = (
                select id from api_keys
                where id = \(holder.key.id) and (last_used_at is null or last_used_at <= \(at - 60))
                for no key update skip locked
            )
            """)
        return holder
    }
}
