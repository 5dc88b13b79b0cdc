import Accounts
import Billing
import BillingServer
import Databases
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite("Account", .timeLimit(.minutes(15)))
struct AccountTests {
    private static let ada = "ada@example.com"

    private func key(_ server: RunningServer, _ email: String = ada) async throws -> NewAPIKey {
        let found = try await server.store.users(email: email).first
        let user: User
        if let found { user = found } else { user = try await server.store.createUser(email: email, id: nil) }
        return try await server.store.createKey(for: user.id, name: "test")
    }

    private func account(
        _ server: RunningServer, _ key: String, method: String = "GET"
    ) async throws -> HTTPReply {
        try await server.client.send(method, "/v1/account", headers: [("Authorization", "Bearer \(key)")])
    }

    @Test("An account is shown as it is at the moment, with the same members always", arguments: DatabaseKind.allCases)
    func document(_ kind: DatabaseKind) async throws {
        let clock = TestClock(.testNow)
        let members: Set = [
            "user_id", "email", "plan", "has_access", "access_until", "compute_units_remaining", "compute_units_limit",
            "compute_units_used", "compute_units_reset_date", "subscription",
        ]
        try await kind.withDatabase { database in
            try await withServer(try database.open(clock: clock)) { server in
                let bodies = try Fixtures.scenario("first-purchase").map(\.body)
                let user = try await server.createUser(of: bodies[1])
                let key = try await key(server)
                let free = try await account(server, key.text.secret)
                #expect(free.status == 200)
                #expect(free["content-type"] == "application/json")
                #expect(free["cache-control"] == "no-store")
                #expect(free["access-control-allow-origin"] == nil)
                var document = try json(free)
                #expect(Set(document.keys) == members)
                #expect(document["user_id"] as? String == user.uuidString.lowercased())
                #expect((document["plan"] as? [String: Any])?["id"] as? String == "free")
                #expect(document["has_access"] as? Bool == false)
                #expect(document["subscription"] is NSNull && document["access_until"] is NSNull)

                for body in bodies { #expect(try await server.deliver(body).status == 200) }
                let task = UUID()
                try await server.store.consumeComputeUnits(300, for: task, of: user, policy: BillingPolicy())
                // Another program takes units, too: it shows at once.
                try await database.execute(
                    "update users set compute_units_remaining = compute_units_remaining - 50")
                document = try json(try await account(server, key.text.secret))
                #expect(Set(document.keys) == members)
                #expect((document["plan"] as? [String: Any])?["id"] as? String == "starter")
                #expect((document["plan"] as? [String: Any])?["max_concurrent_tasks"] as? Int == 3)
                #expect(document["has_access"] as? Bool == true)
                #expect(document["compute_units_remaining"] as? Int == 650)
                #expect(document["compute_units_limit"] as? Int == 1000)
                #expect(document["compute_units_used"] as? Int == 350)
                #expect(document["compute_units_reset_date"] as? String == "2026-11-12T09:30:04.000Z")
                let subscription = try #require(document["subscription"] as? [String: Any])
                #expect(subscription["lemon_squeezy_subscription_id"] as? String == "910001")
                #expect(subscription["status"] as? String == "active")
                #expect(subscription["current_period_end"] as? String == "2026-11-12T09:30:01.000Z")

                // Nothing has happened but that time went by.
                var ended = ProviderSubscription(
                    userID: user, createdAt: .utc("2026-10-12 09:30:04"), renewsAt: .utc("2026-11-12 09:30:01"))
                (ended.status, ended.endsAt) = ("cancelled", ended.renewsAt)
                let cancelled = ended.event("subscription_cancelled", at: clock.now)
                #expect(try await server.deliver(cancelled).status == 200)
                document = try json(try await account(server, key.text.secret))
                #expect(document["access_until"] as? String == "2026-11-12T09:30:01.000Z")
                clock.set(.utc("2026-11-12 09:30:01"))
                document = try json(try await account(server, key.text.secret))
                #expect(document["has_access"] as? Bool == false)
                #expect((document["plan"] as? [String: Any])?["id"] as? String == "free")
                #expect(document["compute_units_limit"] as? Int == 100)
                let head = try await account(server, key.text.secret, method: "HEAD")
                #expect(head.status == 200 && head.body.isEmpty)
            }
        }
    }

    @Test("Without a valid key there is nothing, and the same answer for every cause", arguments: DatabaseKind.allCases)
    func refused(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await withServer(try database.open()) { server in
                let (valid, revoked, inactive) = (
                    try await key(server), try await key(server), try await key(server, "bob@example.com")
                )
                #expect(try await account(server, revoked.text.secret).status == 200)
                #expect(try await account(server, inactive.text.secret).status == 200)
                _ = try await server.store.revokeKey(revoked.key.id, of: nil)
                var changes = UserChanges()
                changes.isActive = false
                _ = try await server.store.updateUser(inactive.key.userID, changes)

                let secret = valid.text.secret
                var refusals: [HTTPReply] = []
                for headers in [
                    [], [("authorization", "")], [("authorization", "Bearer")], [("authorization", "Bearer ")],
                    [("authorization", secret)], [("authorization", "Basic \(secret)")],
                    [("authorization", "Bearer \(secret)x")], [("authorization", "Bearer \(secret.dropLast())")],
                    [("authorization", "Bearer \(secret) \(secret)")],
                    [("authorization", "Bearer \(APIKeyText().secret)")],
                    [("authorization", "Bearer \(valid.key.keyHash)")], [("x-api-key", secret)],
                    [("authorization", "Bearer \(secret)"), ("authorization", "Bearer \(secret)")],
                    [("authorization", "Bearer \(revoked.text.secret)")],
                    [("authorization", "Bearer \(inactive.text.secret)")],
                ] as [[HTTPClient.Header]] {
                    refusals.append(try await server.client.send("GET", "/v1/account", headers: headers))
                }
                #expect(refusals.allSatisfy { $0.status == 401 })
                #expect(refusals.allSatisfy { $0["www-authenticate"] == #"Bearer realm="Selextract Cloud""# })
                #expect(refusals.allSatisfy { $0["content-type"] == "application/problem+json" })
                #expect(Set(refusals.map { $0.member("detail") }).count == 1)
                #expect(refusals.allSatisfy { $0.member("type") == "urn:selextract-billing:problem:invalid-key" })
                for scheme in ["Bearer", "bearer", "BEARER"] {
                    let reply = try await server.client.send(
                        "GET", "/v1/account", headers: [("authorization", "\(scheme) \(secret)")])
                    #expect(reply.status == 200)
                }
            }
        }
    }

    @Test("Calls are gathered, and written while it serves and when it ends", arguments: DatabaseKind.allCases)
    func calls(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let statements = StatementLog()
            let store = try database.open { $0.observe = { sql, _, _ in statements.note(sql) } }
            let user = try await withServer(store, options: { $0.usageInterval = .milliseconds(20) }) { server in
                let key = try await key(server)
                let answers = try await concurrently(40) { _ in try await account(server, key.text.secret).status }
                #expect(answers == Array(repeating: 200, count: 40))
                try await eventually {
                    try await database.values(
                        "select cast(coalesce(sum(api_calls), 0) as varchar(9)) from usage_analytics") == [
                            "40"
                        ]
                }
                return key.key.userID
            }
            #expect(statements.count { $0.contains("insert into usage_analytics") } < 40)
            // The last of them are written although the time for it has not come.
            try await withServer(
                try database.open(), options: { $0.usageInterval = .seconds(3600) }
            ) { server in
                let key = try await key(server)
                #expect(key.key.userID == user)
                for _ in 0..<3 { #expect(try await account(server, key.text.secret).status == 200) }
                #expect(try await account(server, "wrong").status == 401)
            }
            let rows = try await database.values("select cast(api_calls as varchar(9)) from usage_analytics")
            #expect(rows == ["43"])
        }
    }

    @Test("Calls that cannot be written are kept until they can", arguments: DatabaseKind.allCases)
    func kept(_ kind: DatabaseKind) async throws {
        let refusal =
            kind == .postgreSQL
            ? """
            create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
            create trigger refuse before insert on usage_analytics for each row execute function refuse()
            """ : "create trigger refuse before insert on usage_analytics begin select raise(abort, 'no'); end"
        try await kind.withDatabase { database in
            let lines = LogLines()
            try await withServer(
                try database.open(), logger: lines.logger, options: { $0.usageInterval = .milliseconds(10) }
            ) { server in
                let key = try await key(server)
                try await database.execute(refusal)
                for _ in 0..<5 { #expect(try await account(server, key.text.secret).status == 200) }
                try await eventually { lines.all.contains { $0.contains("API calls could not be written") } }
                #expect(try await database.values("select 'row' from usage_analytics") == [])
                try await database.execute(
                    "drop trigger refuse\(kind == .postgreSQL ? " on usage_analytics" : "")")
            }
            let rows = try await database.values("select cast(api_calls as varchar(9)) from usage_analytics")
            #expect(rows == ["5"])
            #expect(lines.all.count { $0.contains("API calls could not be written") } == 1)
        }
    }

    private func json(_ reply: HTTPReply) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any])
    }
}
