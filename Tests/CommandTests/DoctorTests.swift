import Foundation
import LemonSqueezy
import LemonSqueezyStandIn
import Payloads
import TestSupport
import Testing

/// `doctor`, against a real process of the program and a stand-in for Lemon Squeezy.
@Suite(.timeLimit(.minutes(15)))
struct DoctorTests {
    /// A program whose database is made and whose plans are mapped.
    private func program(_ shop: Shop, _ changes: [String: String?] = [:]) async throws -> Program {
        let program = try Program(shop.settings.merging(changes) { $1 })
        try await program.serve { _ in }
        return program
    }

    private func codes(_ program: Program) async throws -> [String] {
        let finished = try await program.run("doctor", "--format", "json")
        #expect(finished.errors == "")
        #expect(!finished.text.contains(Shop.key) && !finished.text.contains(Program.secret))
        let json = JSON(try JSONSerialization.jsonObject(with: Data(finished.output)))
        let findings = json["findings"].rows
        #expect(finished.status == (findings.isEmpty ? 0 : 1))
        for finding in findings {
            #expect(finding["sentence"].text?.isEmpty == false && finding["remedy"].text?.isEmpty == false)
        }
        return findings.compactMap(\.["code"].text)
    }

    @Test("The console shows what was found, and how Lemon Squeezy sells what means a plan")
    func console() async throws {
        let shop = try await Shop.open()
        shop.standIn.change { state in
            state.set("prices", id: "9102", "renewal_interval_quantity", .number("3"))
            state.set("variants", id: "103", "status", .string("draft"))
        }
        let (port, token) = (try FreePort.any(), "operator-token-0123456789")
        let program = try Program(
            shop.settings.merging(["ADMIN_PORT": "\(port)", "SELEXTRACT_CONSOLE_TOKEN": token]) { $1 })
        try await ServedProcess.serve(program) { _ in
            try await eventually {
                let page = try await HTTPClient(port: port).send(
                    "GET", "/console/plans", headers: [("authorization", "Bearer \(token)")]
                ).text
                return [
                    "there 19.00 every month, published", "there 49.00 every 3 months, published",
                    "there 99.00 every month, draft", "variant 103 of plan enterprise is a draft",
                ].allSatisfy { page.contains($0) }
            }
        }
    }

    @Test("A set-up that is right has no finding; what is changed at Lemon Squeezy shows, and goes again")
    func provider() async throws {
        let shop = try await Shop.open()
        let program = try await program(shop)
        // Others' webhooks come before ours, more than the API's own page holds.
        shop.standIn.change { state in
            for id in 0..<30 {
                state.put(
                    "webhooks", id: "5\(id)",
                    [.init("store_id", .number("4242")), .init("url", .string("https://other.example/\(id)"))])
            }
        }
        #expect(try await codes(program) == ["webhook_missing"])
        shop.addWebhook(missing: ["subscription_expired"])
        shop.standIn.change { state in
            let own = state.objects["webhooks"]?.removeFirst()
            state.objects["webhooks"]?.append(own ?? .null)
        }
        #expect(try await codes(program) == ["webhook_events_missing"])
        let mended = try await program.run("webhook", "create")
        #expect(mended.status == 0, "\(mended.errors)")
        #expect(mended.text.contains("events were added: subscription_expired"))
        #expect(try await codes(program) == [])

        shop.standIn.change { $0.set("webhooks", id: "77", "last_sent_at", .string("2026-01-02T03:04:05.000000Z")) }
        #expect(try await codes(program) == ["deliveries_lost"])
        shop.standIn.change { $0.set("webhooks", id: "77", "last_sent_at", .null) }

        shop.standIn.change { $0.set("prices", id: "9101", "unit_price", .number("2500")) }
        #expect(try await codes(program) == ["price_differs"])
        #expect(try await program.run("plans", "set", "starter", "--price-cents", "2500").status == 0)
        #expect(try await codes(program) == [])

        shop.standIn.change { $0.set("prices", id: "9102", "renewal_interval_unit", .string("week")) }
        #expect(try await codes(program) == ["variant_shorter_than_month"])
        shop.standIn.change { $0.set("prices", id: "9102", "renewal_interval_unit", .null) }
        #expect(try await codes(program) == ["variant_not_recurring"])
        shop.standIn.change { state in
            state.set("prices", id: "9102", "renewal_interval_unit", .string("month"))
            state.set("variants", id: "103", "status", .string("draft"))
        }
        #expect(try await codes(program) == ["variant_unpublished"])
        #expect(try await program.run("plans", "set", "enterprise", "--no-active").status == 0)
        #expect(try await codes(program) == [])
        #expect(try await program.run("plans", "map", "starter", "555").status == 0)
        #expect(try await codes(program) == ["variant_unknown"])
        shop.standIn.change { state in
            state.put("variants", id: "555", [.init("status", .string("published"))])
        }
        #expect(try await codes(program) == [])
        // Nothing but the one PATCH changed anything there.
        #expect(Set(shop.standIn.state.calls.map(\.method)) == ["GET", "PATCH"])
    }

    @Test("Key, mode, store and address")
    func settings() async throws {
        let shop = try await Shop.open()
        shop.addWebhook()
        func found(_ changes: [String: String?]) async throws -> [String] {
            try await codes(try await program(shop, changes))
        }
        #expect(try await found([:]) == [])
        #expect(try await found(["LEMON_SQUEEZY_API_KEY": "wrong"]) == ["api_key_refused"])
        #expect(try await found(["LEMON_SQUEEZY_MODE": "live"]) == ["mode_differs"])
        #expect(try await found(["LEMON_SQUEEZY_STORE_ID": "1"]) == ["store_unknown"])
        #expect(try await found(["PUBLIC_URL": nil]) == ["public_url_missing"])
        shop.standIn.change { $0.put("stores", id: "9", []) }
        #expect(try await found(["LEMON_SQUEEZY_STORE_ID": nil]) == ["store_not_chosen"])
        // A key says itself until when it is valid.
        let soon = Int(Date().timeIntervalSince1970) + 3 * 86_400
        let claims = Data(#"{"exp":\#(soon).5}"#.utf8).base64EncodedString().replacing("=", with: "")
        let key = "eyJ0.\(claims).c2ln"
        shop.standIn.change { $0.keys[key] = true }
        #expect(try await found(["LEMON_SQUEEZY_API_KEY": key]) == ["api_key_expires"])
    }

    @Test("What is wrong here shows without a key, too")
    func here() async throws {
        let new = try Program()
        let none = try await new.run("doctor")
        #expect(none.status == 1 && none.text.contains("schema_outdated"), "\(none.text)")
        let away = try Program(["DATABASE_URL": "postgresql://127.0.0.1:1/nothing"])
        #expect(try await codes(away) == ["database_unusable"])
        #expect(none.text.contains("To mend it:"))
        #expect(try await new.run("migrate").status == 0)
        // Without prices there is nothing to sell, so the plans that are offered are no finding.
        #expect(try await codes(new) == [])
        let quoted = try Program(["LEMON_SQUEEZY_WEBHOOK_SECRET": "\"0123456789\""])
        #expect(try await codes(quoted) == ["setting_wrong"])
        let without = try Program(["LEMON_SQUEEZY_WEBHOOK_SECRET": nil])
        #expect(try await without.run("migrate").status == 0)
        #expect(try await codes(without) == ["secret_missing"])
    }

    @Test("A variant that events told of and no plan means is a finding until it is mapped")
    func unmapped() async throws {
        let program = try Program()
        let scenario = Fixtures.repository.appendingPathComponent("fixtures/scenarios/first-purchase").path
        try await program.serve { url in
            _ = try await program.json("replay", "--url", url, "--create-users", "--rebase", scenario)
        }
        #expect(try await codes(program) == ["variant_unmapped"])
        #expect(try await program.run("plans", "map", "starter", "101").status == 0)
        #expect(try await codes(program) == [])
    }
}
