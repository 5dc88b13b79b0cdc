import Billing
import BillingServer
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite("Bad input is answered, and changes nothing", .timeLimit(.minutes(15)))
struct BadInputTests {
    @Test("Signatures and sizes that are wrong store nothing", arguments: DatabaseKind.allCases)
    func refused(_ kind: DatabaseKind) async throws {
        try await check(on: kind) { _ in try BadInput.signatures() }
    }

    @Test("Signed bodies that are no events are stored as rejected", arguments: DatabaseKind.allCases)
    func rejected(_ kind: DatabaseKind) async throws {
        try await check(on: kind) { _ in try BadInput.rejected() }
    }

    @Test("Signed events with odd content are stored and change no account", arguments: DatabaseKind.allCases)
    func harmless(_ kind: DatabaseKind) async throws {
        try await check(on: kind) { try BadInput.harmless(user: $0) }
    }

    @Test("A status that nobody knows is parked, kept, and gives nothing", arguments: DatabaseKind.allCases)
    func unknownStatus(_ kind: DatabaseKind) async throws {
        let event = String(decoding: try Fixtures.event("subscription_created"), as: UTF8.self)
        let body = Array(event.replacing(#""status":"active""#, with: #""status":"odd""#).utf8)
        try await kind.withDatabase { database in
            try await withServer(try database.open(clock: TestClock(.testNow))) { server in
                let user = try await server.createUser(of: body)
                let before = try await server.store.user(id: user)
                let reply = try await server.deliver(body)
                #expect(reply.status == 200)
                #expect(reply.member("status") == "parked")
                #expect(reply.member("reason") == "unknown_status")
                let after = try await server.store.user(id: user)
                #expect(after?.subscriptionTier == "free")
                #expect(after?.computeUnitsRemaining == before?.computeUnitsRemaining)
                #expect(try await server.store.entitlement(user: user)?.hasAccess == false)
            }
        }
    }

    private func check(on kind: DatabaseKind, _ inputs: (UUID) throws -> [BadInput]) async throws {
        try await kind.withDatabase { database in
            try await withServer(try database.open(clock: TestClock(.testNow))) { server in
                // An account that has a plan, so that there is something to break.
                let purchase = try Fixtures.scenario("first-purchase").map(\.body)
                let user = try await server.createUser(of: purchase[1])
                for body in purchase { #expect(try await server.deliver(body).status == 200) }
                let before = try await BillingRows(server.store)
                #expect(before.subscriptions.map(\.planID) == ["starter"])
                var stored = try await server.events().count
                for input in try inputs(user) {
                    try await check(input, server, &stored)
                }
                #expect(try await BillingRows(server.store) == before)
            }
        }
    }

    private func check(_ input: BadInput, _ server: RunningServer, _ stored: inout Int) async throws {
        let name = Comment(rawValue: input.testDescription)
        let reply = try await server.client.send(
            "POST", "/webhooks/lemon-squeezy", headers: input.headers(input.body), body: input.body)
        #expect(reply.status == input.status, name)
        if input.outcome != nil { stored += 1 }
        #expect(try await server.events().count == stored, name)
        if input.status == 200 {
            #expect(reply.member("status") == input.outcome, name)
        } else {
            #expect(reply["content-type"] == "application/problem+json", name)
            #expect(reply.member("status") == String(input.status), name)
        }
        if let reason = input.reason { #expect(reply.member("reason") == reason, name) }
        guard let outcome = input.outcome, let id = reply.member("event_id").flatMap(UUID.init(uuidString:)) else {
            return
        }
        #expect(try await server.store.eventRecord(id)?.outcome.rawValue == outcome, name)
        #expect(try await server.store.eventBody(id) == input.body, name)
        // The same again is answered as the first time, and counted.
        let again = try await server.client.send(
            "POST", "/webhooks/lemon-squeezy", headers: input.headers(input.body), body: input.body)
        #expect(again.status == input.status, name)
        #expect(again.member("event_id") == reply.member("event_id"), name)
        #expect(try await server.store.eventRecord(id)?.deliveries == 2, name)
    }

    @Test("Every wrong signature is answered by the same words, counted, and logged once a second")
    func oneAnswer() async throws {
        let lines = LogLines()
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open(), logger: lines.logger) { server in
                let inputs = try BadInput.signatures().filter { $0.status == 401 }
                var answers: Set<String> = []
                let start = ContinuousClock.now
                for input in inputs {
                    let reply = try await server.client.send(
                        "POST", "/webhooks/lemon-squeezy", headers: input.headers(input.body), body: input.body)
                    let id = try #require(reply["x-request-id"])
                    answers.insert(reply.text.replacing(id, with: "…"))
                }
                #expect(answers.count == 1)
                let metrics = try await server.admin.send("GET", "/metrics").text
                #expect(metrics.contains("selextract_signature_failures_total \(inputs.count)\n"))
                let seconds = (ContinuousClock.now - start) / .seconds(1)
                let logged = lines.all.count { $0.contains("delivery without a valid signature") }
                #expect((1...Int(seconds) + 1).contains(logged))
            }
        }
    }

    @Test("Nothing of a body, a signature or the secret is logged")
    func logsNothingPrivate() async throws {
        let lines = LogLines()
        let body = try Fixtures.event("subscription_created")
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open(), logger: lines.logger) { server in
                _ = try await server.deliver(body)
                _ = try await server.deliver(Array("ada@example.com".utf8))
            }
        }
        #expect(lines.all.contains { $0.contains("delivery stored") })
        let log = lines.all.joined()
        for secret in [RunningServer.secret, RunningServer.signature(body).value, "ada@example.com", "Ada"] {
            #expect(!log.contains(secret))
        }
    }

    @Test("The secret before the present one is accepted, and noted")
    func previousSecret() async throws {
        let body = try Fixtures.event("subscription_created")
        try await DatabaseKind.sqlite.withDatabase { database in
            let variables = ["LEMON_SQUEEZY_WEBHOOK_SECRET_PREVIOUS": "the old secret"]
            try await withServer(try database.open(), variables) { server in
                let reply = try await server.client.send(
                    "POST", "/webhooks/lemon-squeezy",
                    headers: [RunningServer.signature(body, secret: "the old secret")], body: body)
                #expect(reply.status == 200)
                #expect(try await server.events().map(\.matchedSecret) == ["previous"])
            }
        }
    }

    @Test("Events of another mode or another store are quarantined")
    func quarantine() async throws {
        let body = try Fixtures.event("subscription_created")
        for (variables, reason) in [
            (["LEMON_SQUEEZY_MODE": "live"], "wrong_mode: expected live, came test"),
            (["LEMON_SQUEEZY_STORE_ID": "1"], "wrong_store: expected 1, came 4242"),
            (["ENVIRONMENT": "production"], "wrong_mode: expected live, came test"),
        ] {
            try await DatabaseKind.sqlite.withDatabase { database in
                try await withServer(try database.open(), variables) { server in
                    let reply = try await server.deliver(body)
                    #expect(reply.status == 200)
                    #expect(reply.member("status") == "quarantined")
                    #expect(reply.member("reason") == reason)
                }
            }
        }
    }
}
