import Databases
import Foundation
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct KeyTests {
    @Test(arguments: DatabaseKind.allCases)
    func `a key is stored as its hash, and opens its account`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                let new = try await store.createKey(for: ada, name: "laptop", description: "mine")
                #expect((new.key.userID, new.key.name, new.key.description) == (ada, "laptop", "mine"))
                #expect((new.key.isActive, new.key.lastUsedAt, new.key.createdAt) == (true, nil, clock.now))
                #expect(new.text.secret.hasPrefix(new.key.keyPrefix))
                #expect(try await database.values("select key_hash from api_keys").map(\.count) == [64])
                let columns = "name || coalesce(description, '') || key_hash || key_prefix"
                let row = try await database.values("select \(columns) from api_keys")
                #expect(row.allSatisfy { !$0.contains(new.text.secret.dropFirst(10)) })

                let holder = try #require(try await store.keyHolder(of: new.text.secret))
                #expect((holder.user.id, holder.key.id, holder.at) == (ada, new.key.id, clock.now))
                #expect(try await store.keyHolder(of: APIKeyText().secret) == nil)
                #expect(try await store.keyHolder(of: "slx_") == nil)
                #expect(try await store.keys(user: ada, limit: 9, before: nil).map(\.id) == [new.key.id])
                #expect(try await store.keys(user: bob, limit: 9, before: nil) == [])
                #expect(try await store.keys(user: nil, limit: 9, before: nil).count == 1)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a revoked key and an inactive account open nothing, at once and for every process`(
        kind: DatabaseKind
    ) async throws {
        try await kind.withDatabase { database in
            try await database.withStore { one in
                try await database.withStore { two in
                    try await one.prepare()
                    let first = try await one.createKey(for: ada, name: "first")
                    let second = try await one.createKey(for: ada, name: "second")
                    #expect(try await two.keyHolder(of: first.text.secret) != nil)
                    let notHis = await storeError { _ = try await one.revokeKey(first.key.id, of: bob) }
                    #expect(notHis == .notFound("key “\(first.key.id.uuidString.lowercased())”"))
                    #expect(try await one.revokeKey(first.key.id, of: ada).isActive == false)
                    #expect(try await two.keyHolder(of: first.text.secret) == nil)
                    #expect(try await one.revokeKey(first.key.id, of: nil).isActive == false)
                    #expect(try await two.keyHolder(of: second.text.secret) != nil)
                    try await database.execute("update users set is_active = false")
                    #expect(try await two.keyHolder(of: second.text.secret) == nil)
                    try await database.execute("update users set is_active = true")
                    #expect(try await two.keyHolder(of: second.text.secret) != nil)
                }
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `the last use is written at most once a minute`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        let statements = StatementLog()
        try await kind.withDatabase { database in
            let store = try database.open(clock: clock) { $0.observe = { sql, _, _ in statements.note(sql) } }
            try await store.prepare()
            let key = try await store.createKey(for: ada, name: "laptop")
            for _ in 0..<121 {
                #expect(try await store.keyHolder(of: key.text.secret) != nil)
                clock.advance(by: 1)
            }
            #expect(statements.count { $0.contains("update api_keys set last_used_at") } == 3)
            let used = try await store.keys(user: ada, limit: 1, before: nil).first?.lastUsedAt
            #expect(used == beforePurchase + 120)
            await store.close()
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a name that cannot be stored and an unknown account are refused`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            try await store.prepare()
            for name in ["", String(repeating: "n", count: 101), "a\0"] {
                let refused = await storeError { _ = try await store.createKey(for: ada, name: name) }
                #expect(refused == .conflict("a key's name has 1 to 100 characters, none of them U+0000"))
            }
            let nobody = await storeError { _ = try await store.createKey(for: bob, name: "n") }
            #expect(nobody == .notFound("account “\(bob.uuidString.lowercased())”"))
        }
    }
}
