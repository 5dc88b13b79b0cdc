import Foundation
import LemonSqueezy
import LemonSqueezyStandIn
import Payloads
import TestSupport
import Testing

/// Each finding of `doctor`, made to appear, and to go by what it names.
@Suite(.timeLimit(.minutes(15)))
struct DoctorScenarioTests {
    /// A shop and a database that are in order, and the settings of programs on them.
    struct Stage: Sendable {
        var shop: Shop
        var database: TestDatabase
        var settings: [String: String?]
        let fronts = Fronts()

        /// A server in front of the stand-in, until the scenario ends.
        func front(ahead: Double = 0, certificate: URL? = nil) async throws -> Front {
            let front = try await Front(to: shop.standIn.port, ahead: ahead, certificate: certificate)
            await fronts.add(front)
            return front
        }

        func program(_ changes: [String: String?] = [:]) throws -> Program {
            try Program(settings.merging(changes) { $1 })
        }

        func run(_ arguments: String..., with changes: [String: String?] = [:]) async throws {
            let program = try program(changes)
            let finished = try await program.run(arguments)
            #expect(finished.status == 0, "\(arguments): \(finished.errors)")
        }

        /// What somebody bought arrives.
        func deliver(variant: String) async throws {
            let user = UUID()
            try await run("users", "create", "ada@example.com", "--id", user.uuidString)
            var subscription = ProviderSubscription(
                userID: user, createdAt: .utc("2026-10-12 09:30:04"), renewsAt: .utc("2027-11-12 09:30:01"))
            subscription.variantID = variant
            let body = subscription.event("subscription_created")
            try await serve(with: ["LEMON_SQUEEZY_API_KEY": nil]) { url in
                let port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
                let reply = try await HTTPClient(port: port).send(
                    "POST", "/webhooks/lemon-squeezy",
                    headers: [("X-Signature", Signature.sign(body, secret: Program.secret))], body: body)
                #expect(reply.status == 200)
            }
        }

        func serve(with changes: [String: String?] = [:], _ body: (String) async throws -> Void = { _ in })
            async throws
        {
            let program = try program(changes)
            try await program.serve(body: body)
        }
    }

    actor Fronts {
        private var all: [Front] = []

        func add(_ front: Front) { all.append(front) }

        func stop() async { for front in all { await front.stop() } }
    }

    /// What brings a finding about, and what takes it away. Both give the changed settings of those who look.
    struct Scenario: Sendable {
        var code: String
        var appear: @Sendable (Stage) async throws -> [String: String?]
        var goAway: @Sendable (Stage) async throws -> [String: String?]
        var kind = DatabaseKind.sqlite

        init(
            _ code: String, on kind: DatabaseKind = .sqlite,
            _ appear: @escaping @Sendable (Stage) async throws -> [String: String?],
            mend: @escaping @Sendable (Stage) async throws -> [String: String?]
        ) {
            (self.code, self.appear, goAway, self.kind) = (code, appear, mend, kind)
        }

        /// A setting that is wrong, and the right one.
        init(_ code: String, _ changes: [String: String?]) {
            self.init(code) { _ in
                changes
            } mend: { _ in
                [:]
            }
        }

        /// The same, of a service that was started with it.
        static func served(_ code: String, _ changes: [String: String?]) -> Scenario {
            Scenario(
                code, on: .sqlite,
                { stage in
                    try await stage.serve(with: changes.merging(["LEMON_SQUEEZY_API_KEY": nil]) { $1 })
                    return changes
                },
                mend: { stage in
                    try await stage.serve(with: ["LEMON_SQUEEZY_API_KEY": nil])
                    return [:]
                })
        }

        /// Something at Lemon Squeezy that is wrong, and put right there.
        static func there(
            _ code: String, _ appear: @escaping @Sendable (inout StandInState) -> Void,
            mend: @escaping @Sendable (inout StandInState) -> Void
        ) -> Scenario {
            Scenario(
                code, on: .sqlite,
                { stage in
                    stage.shop.standIn.change(appear)
                    return [:]
                },
                mend: { stage in
                    stage.shop.standIn.change(mend)
                    return [:]
                })
        }
    }

    static let scenarios: [Scenario] = [
        Scenario("setting_wrong", ["PORT": "none"]),
        Scenario("secret_missing", ["LEMON_SQUEEZY_WEBHOOK_SECRET": nil]),
        Scenario("database_unusable", ["DATABASE_URL": "postgresql://127.0.0.1:1/nothing"]),
        Scenario("schema_outdated", on: .postgreSQL) { stage in
            try await stage.database.execute("drop schema public cascade; create schema public")
            return [:]
        } mend: { stage in
            try await stage.run("migrate")
            // Which variants mean which plans was in the database, too.
            try await stage.serve(with: ["LEMON_SQUEEZY_API_KEY": nil])
            return [:]
        },
        Scenario("schema_differs") { stage in
            try await stage.database.execute("drop index idx_users_email")
            return [:]
        } mend: { stage in
            let named = try await stage.program().run("validate-schema")
            #expect(named.text.contains("idx_users_email"))
            try await stage.database.execute("create unique index idx_users_email on users (email)")
            return [:]
        },
        Scenario("clock_differs_from_database", on: .postgreSQL) { stage in
            let name = stage.database.url.split(separator: "/").last ?? ""
            try await stage.database.execute(
                """
                create schema elsewhen;
                create function elsewhen.clock_timestamp() returns timestamptz language sql
                    as $$ select pg_catalog.clock_timestamp() + interval '2 hours' $$;
                alter database \(name) set search_path = elsewhen, public, pg_catalog;
                """)
            return [:]
        } mend: { stage in
            let name = stage.database.url.split(separator: "/").last ?? ""
            try await stage.database.execute("alter database \(name) reset search_path; drop schema elsewhen cascade")
            return [:]
        },
        Scenario("clock_differs_from_api") { stage in
            let front = try await stage.front(ahead: -7200)
            return ["LEMON_SQUEEZY_API_URL": "http://127.0.0.1:\(front.port)/v1"]
        } mend: { stage in
            let front = try await stage.front()
            return ["LEMON_SQUEEZY_API_URL": "http://127.0.0.1:\(front.port)/v1"]
        },
        Scenario("units_given_twice") { stage in
            try await stage.deliver(variant: "101")
            try await stage.database.execute(
                "update users set compute_units_remaining = compute_units_remaining + 1000")
            try await stage.run("tick")
            return [:]
        } mend: { stage in
            try await stage.run("users", "adjust", "ada@example.com", "-1000", "--reason", "given twice")
            return [:]
        },
        Scenario("setting_not_in_force") { _ in
            ["SELEXTRACT_REFUND_UNITS": "take"]
        } mend: { stage in
            try await stage.serve(with: ["SELEXTRACT_REFUND_UNITS": "take"])
            return ["SELEXTRACT_REFUND_UNITS": "take"]
        },
        Scenario("variant_unmapped") { stage in
            stage.shop.standIn.change { $0.put("variants", id: "777", [.init("status", .string("published"))]) }
            try await stage.deliver(variant: "777")
            return [:]
        } mend: { stage in
            try await stage.run("plans", "map", "starter", "777")
            return [:]
        },
        Scenario("api_key_refused", ["LEMON_SQUEEZY_API_KEY": "wrong"]),
        Scenario("api_key_expires") { stage in
            // A key says itself until when it is valid.
            let soon = Int(Date().timeIntervalSince1970) + 3 * 86_400
            let claims = Data(#"{"exp":\#(soon).5}"#.utf8).base64EncodedString().replacing("=", with: "")
            stage.shop.standIn.change { $0.keys["eyJ0.\(claims).c2ln"] = true }
            return ["LEMON_SQUEEZY_API_KEY": "eyJ0.\(claims).c2ln"]
        } mend: { _ in
            [:]
        },
        Scenario("api_untrusted") { stage in
            let authority = try await Authority()
            let front = try await stage.front(certificate: try await authority.certificate(for: "IP:127.0.0.1"))
            return ["LEMON_SQUEEZY_API_URL": "https://127.0.0.1:\(front.port)/v1"]
        } mend: { _ in
            [:]
        },
        Scenario("api_unavailable") { stage in
            let answer = StandInAnswer(status: 503, body: "<html>", headers: ["Retry-After": "0"])
            stage.shop.standIn.change { $0.answers = Array(repeating: answer, count: 7) }
            return [:]
        } mend: { _ in
            [:]
        },
        .served("mode_differs", ["LEMON_SQUEEZY_MODE": "live"]),
        .served("store_unknown", ["LEMON_SQUEEZY_STORE_ID": "1"]),
        Scenario("store_not_chosen") { stage in
            stage.shop.standIn.change { $0.put("stores", id: "9", []) }
            try await stage.serve(with: ["LEMON_SQUEEZY_STORE_ID": nil, "LEMON_SQUEEZY_API_KEY": nil])
            return ["LEMON_SQUEEZY_STORE_ID": nil]
        } mend: { stage in
            try await stage.serve(with: ["LEMON_SQUEEZY_API_KEY": nil])
            return [:]
        },
        Scenario("public_url_missing", ["PUBLIC_URL": nil]),
        Scenario("webhook_missing") { stage in
            stage.shop.standIn.change { $0.objects["webhooks"] = [] }
            return [:]
        } mend: { stage in
            try await stage.run("webhook", "create", "--secret-file", "secret")
            return [:]
        },
        .there("webhook_twice") { state in
            let own = state.objects["webhooks"]?.first?["attributes"]
            guard case .object(let attributes)? = own else { return }
            state.put("webhooks", id: "78", attributes)
        } mend: { state in
            state.objects["webhooks"]?.removeAll { $0["id"] == .string("78") }
        },
        Scenario("webhook_events_missing") { stage in
            stage.shop.standIn.change { $0.set("webhooks", id: "77", "events", .array([.string("order_created")])) }
            return [:]
        } mend: { stage in
            try await stage.run("webhook", "create")
            return [:]
        },
        Scenario("deliveries_lost") { stage in
            stage.shop.standIn.change {
                $0.set("webhooks", id: "77", "last_sent_at", .string("2026-01-02T03:04:05.000000Z"))
            }
            return [:]
        } mend: { stage in
            try await stage.deliver(variant: "101")
            return [:]
        },
        Scenario("plan_without_variant") { stage in
            try await stage.database.execute(
                "update subscription_plans set lemon_squeezy_variant_id = null where id = 'starter'")
            try await stage.database.execute("delete from plan_variants where plan_id = 'starter'")
            return ["LEMON_SQUEEZY_STARTER_VARIANT_ID": nil]
        } mend: { stage in
            try await stage.run("plans", "map", "starter", "101")
            return ["LEMON_SQUEEZY_STARTER_VARIANT_ID": nil]
        },
        Scenario("variant_unknown") { stage in
            try await stage.run("plans", "map", "starter", "555")
            return [:]
        } mend: { stage in
            stage.shop.standIn.change { $0.put("variants", id: "555", [.init("status", .string("published"))]) }
            return [:]
        },
        Scenario("variant_unpublished") { stage in
            stage.shop.standIn.change { $0.set("variants", id: "103", "status", .string("draft")) }
            return [:]
        } mend: { stage in
            try await stage.run("plans", "set", "enterprise", "--no-active")
            return [:]
        },
        .there("variant_not_recurring") { state in
            state.set("prices", id: "9102", "renewal_interval_unit", .null)
        } mend: { state in
            state.set("prices", id: "9102", "renewal_interval_unit", .string("month"))
        },
        .there("variant_shorter_than_month") { state in
            state.set("prices", id: "9102", "renewal_interval_unit", .string("week"))
        } mend: { state in
            state.set("prices", id: "9102", "renewal_interval_unit", .string("month"))
        },
        Scenario("price_differs") { stage in
            stage.shop.standIn.change { $0.set("prices", id: "9101", "unit_price", .number("2500")) }
            return [:]
        } mend: { stage in
            try await stage.run("plans", "set", "starter", "--price-cents", "2500")
            return [:]
        },
    ]

    @Test("Every finding has a scenario, and a line on the page that explains it")
    func complete() throws {
        func text(_ path: String) throws -> String {
            try String(contentsOf: Repository.root.appendingPathComponent(path), encoding: .utf8)
        }
        // The compiler takes no other codes than these.
        let codes = Set(
            try text("Sources/selextract-billing/Provider/Finding.swift")
                .matches(of: #/case \w+ = "([a-z_]+)"/#).map { String($0.1) })
        #expect(codes.count > 20)
        #expect(Set(Self.scenarios.map(\.code)) == codes)
        let page = try text("Sources/Billing/Billing.docc/Checking.md")
        for code in codes { #expect(page.contains("`\(code)`"), "\(code)") }
    }

    @Test("It appears, and goes", arguments: scenarios.map(\.code))
    func scenario(_ code: String) async throws {
        let scenario = try #require(Self.scenarios.first { $0.code == code })
        try await scenario.kind.withDatabase { database in
            let shop = try await Shop.open()
            shop.addWebhook()
            let stage = Stage(
                shop: shop, database: database,
                settings: shop.settings.merging(["DATABASE_URL": database.url]) { $1 })
            try await stage.serve(with: ["LEMON_SQUEEZY_API_KEY": nil])
            do {
                let wrong = try await scenario.appear(stage)
                let found = try await codes(stage, wrong)
                // Another clock is another function, which is another schema, too.
                #expect(scenario.kind == .sqlite ? found == [code] : found.contains(code), "\(found)")
                let right = try await scenario.goAway(stage)
                let left = try await codes(stage, right)
                #expect(left == [], "\(left)")
            } catch {
                await stage.fronts.stop()
                throw error
            }
            await stage.fronts.stop()
        }
    }

    private func codes(_ stage: Stage, _ changes: [String: String?]) async throws -> [String] {
        let finished = try await stage.program(changes).run("doctor", "--format", "json")
        let json = JSON(try JSONSerialization.jsonObject(with: Data(finished.output)))
        #expect(finished.errors == "")
        return json["findings"].rows.compactMap(\.["code"].text)
    }
}
