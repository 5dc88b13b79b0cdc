public import Foundation
import GRDB
public import Selextract

extension SQLiteStore {
    public func createKey(
        _ text: APIKeyText, for user: UUID, name: String, description: String?
    ) async throws -> APIKey {
        let moment = clock?()
        let rows = try await writeQuery(
            """
            insert into api_keys (user_id, name, description, key_hash, key_prefix, created_at)
            select id, \(name), \(description), \(text.storedHash), \(text.prefix),
                coalesce(\(moment), \(unescaped: Self.moment))
            from users where id = \(user)
            returning \(unescaped: APIKey.sqliteColumns)
            """)
        guard let row = rows.first else { throw StoreError.notFound("account “\(user.text)”") }
        return try APIKey(row: row)
    }

    public func keys(user: UUID?, limit: Int, before: Cursor?) async throws -> [APIKey] {
        try await query(
            """
            select \(unescaped: APIKey.sqliteColumns) from api_keys
            where \(ownedBy: user)
                and \(behind: before, in: "api_keys")
            order by created_at desc, id desc limit \(limit)
            """
        ).map(APIKey.init(row:))
    }

    public func revokeKey(_ id: UUID, of user: UUID?) async throws -> APIKey {
        let rows = try await writeQuery(
            """
            update api_keys set is_active = 0 where id = \(id) and \(ownedBy: user)
            returning \(unescaped: APIKey.sqliteColumns)
            """)
        guard let row = rows.first else { throw StoreError.notFound("key “\(id.text)”") }
        return try APIKey(row: row)
    }

    public func keyHolder(hash: String) async throws -> KeyHolder? {
        let moment = clock?()
        let found: KeyHolder? = try await read { connection in
            let keys = try connection.query(
                """
                select \(unescaped: APIKey.sqliteColumns) from api_keys k
                where key_hash = \(hash) and is_active
                    and exists (select 1 from users where id = k.user_id and is_active)
                order by created_at, id limit 1
                """)
            guard let key = try keys.first.map(APIKey.init(row:)),
                let user = try connection.query(Self.userQuery(key.userID)).first.map(User.init(row:))
            else { return nil }
            let at = try connection.query("select coalesce(\(moment), \(unescaped: Self.moment))").values(Date.self)[0]
            return KeyHolder(user: user, key: key, at: at)
        }
        guard var holder = found, holder.key.needsLastUse(at: holder.at) else { return found }
        holder.key.lastUsedAt = holder.at
        // Of several that see it due at once, one writes. A key opens what it opens whether or not this can be written.
        _ = try? await writeQuery(
            """
            update api_keys set last_used_at = \(holder.at)
            where id = \(holder.key.id) and (last_used_at is null or last_used_at <= \(holder.at - 60))
            """)
        return holder
    }
}
