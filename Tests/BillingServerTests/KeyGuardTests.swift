import BillingServer
import Foundation
import Selextract
import Storage
import TestSupport
import Testing

@Suite("Keys that are wrong cost the database nothing", .timeLimit(.minutes(15)))
struct KeyGuardTests {
    private func status(_ server: RunningServer, _ key: String) async throws -> Int {
        try await server.client.send("GET", "/v1/account", headers: [("Authorization", "Bearer \(key)")]).status
    }

    /// A key that nobody was given.
    private func unknown(_ number: Int) -> String { "slx_" + String(repeating: "0", count: 41) + "\(number)" }

    @Test("A key that was wrong is wrong for a minute", arguments: DatabaseKind.allCases)
    func remembered(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await withServer(try database.open()) { server in
                let user = try await server.store.createUser(email: "ada@example.com", id: nil)
                let (tried, untried) = (unknown(10), unknown(11))
                #expect(try await status(server, tried) == 401)
                for (text, id) in [(tried, UUID()), (untried, UUID())] {
                    let hash = try #require(APIKeyText(text)).storedHash
                    try await database.execute(
                        """
                        insert into api_keys (id, user_id, name, key_hash, key_prefix) values (
                            '\(id.uuidString.lowercased())', '\(user.id.uuidString.lowercased())', 'x', '\(hash)', 'slx_'
                        )
                        """)
                }
                #expect(try await status(server, tried) == 401)
                #expect(try await status(server, untried) == 200)
            }
        }
    }

    @Test("An address may try so many wrong keys a minute, and keep those that are right")
    func limited() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open(), options: { $0.limits.wrongKeysAMinute = 3 }) { server in
                let user = try await server.store.createUser(email: "ada@example.com", id: nil)
                let key = try await server.store.createKey(for: user.id, name: "test").text.secret
                #expect(try await status(server, key) == 200)
                for number in 10..<13 { #expect(try await status(server, unknown(number)) == 401) }
                let refused = try await server.client.send(
                    "GET", "/v1/account", headers: [("Authorization", "Bearer \(unknown(13))")])
                #expect(refused.status == 429)
                #expect(refused["retry-after"] == "60")
                #expect(refused.member("type") == "urn:selextract-billing:problem:too-many-keys")
                // The same wrong one again is no further try.
                #expect(try await status(server, unknown(10)) == 401)
                #expect(try await status(server, key) == 200)
            }
        }
    }
}
