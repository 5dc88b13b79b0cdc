import Billing
import BillingServer
import Foundation
import Payloads
import ServiceSettings
import Storage
import TestSupport
import Testing

/// Who gets in, and what attackers try, over real sockets.
@Suite("Access to the console", .timeLimit(.minutes(15)))
struct ConsoleAccessTests {
    /// Markup for elements, attributes, addresses and scripts at once.
    private static let attack = #""'><script>alert(1)</script><img src=x onerror=alert(1)>"#

    /// In a JSON string, and in a SQL one.
    private static let attackInJSON = attack.replacing("\"", with: "\\\"")

    @Test("What strangers write into any field is text on every page that shows it", arguments: DatabaseKind.allCases)
    func scripts(_ kind: DatabaseKind) async throws {
        try await withConsole(kind) { console in
            var body = String(decoding: try Fixtures.scenario("first-purchase")[1].body, as: UTF8.self)
            let user = try await console.server.createUser(of: Array(body.utf8)).uuidString.lowercased()
            for (field, value) in [
                ("user_email", "ada@example.com"), ("user_name", "Ada Example"), ("status", "active"),
                ("product_name", "Selextract"), ("variant_name", "Starter"),
            ] {
                let before = "\"\(field)\":\"\(value)\""
                try #require(body.contains(before), "\(field)")
                body = body.replacing(before, with: "\"\(field)\":\"\(Self.attackInJSON)\"")
            }
            body = body.replacing(
                "\"event_name\":\"subscription_created\"", with: "\"event_name\":\"subscription_updated\"")
            #expect(try await console.server.deliver(Array(body.utf8)).status == 200)
            // An event's name, and ids that are no numbers.
            let named = """
                {"meta":{"event_name":"\(Self.attackInJSON)","webhook_id":"\(Self.attackInJSON)"},\
                "data":{"type":"\(Self.attackInJSON)","id":"\(Self.attackInJSON)","attributes":\
                {"store_id":"\(Self.attackInJSON)","customer_id":"\(Self.attackInJSON)"}}}
                """
            _ = try await console.server.deliver(Array(named.utf8))
            // What other programs write into their own tables.
            let text = "'\(Self.attack.replacing("'", with: "''"))'"
            try await console.database.execute("update users set email = \(text), full_name = \(text)")
            try await console.database.execute(
                "insert into api_keys (user_id, name, key_hash, key_prefix) values ('\(user)', \(text), 'x', '<b>\"&''')"
            )
            try await console.database.execute("update webhook_events set variant_id = \(text), outcome = 'failed'")
            try await console.database.execute("update webhook_events set reason = \(text), store_id = \(text)")
            try await console.database.execute(
                """
                insert into operator_actions (kind, user_id, subscription_id, reason, acted_by, acted_from)
                values ('bind', '\(user)', \(text), \(text), \(text), \(text))
                """)
            try await console.database.execute(
                "insert into user_subscriptions (user_id, plan_id, lemon_squeezy_subscription_id, status) values ('\(user)', 'starter', \(text), 'active')"
            )
            try await console.database.execute("update subscription_plans set name = \(text), description = \(text)")

            let events = try await console.server.events()
            let encoded = Self.attack.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            var paths = [
                "", "waiting", "events", "accounts", "accounts?who=\(user)", "accounts?who=\(encoded)",
                "accounts/\(user)",
                "accounts/\(user)/ledger", "plans", "actions", "acts/adjust?who=\(user)", "acts/grant?who=\(user)",
                "acts/map?variant=7", "subscriptions/910001", "subscriptions/\(encoded)",
                "acts/bind?subscription=910001",
                "acts/bind?subscription=\(encoded)", "acts/bind?subscription=910001&who=\(user)",
                "events?reason=\(encoded)&name=\(encoded)&variant=\(encoded)", "events?outcome=\(encoded)",
                "\(encoded)",
                "acts/\(encoded)", "accounts/\(encoded)", "events?before=\(encoded)", "acts/discard?outcome=failed",
            ]
            paths += events.flatMap { ["events/\($0.id)", "acts/retry?id=\($0.id)"] }
            var shown = 0
            for path in paths {
                let page = try await console.server.admin.send(
                    "GET", "/console/\(path)", headers: [RunningConsole.operator])
                #expect(!page.text.contains("<script>alert") && !page.text.contains("<img src=x"), "\(path)")
                // No attribute was left by a quote.
                #expect(!page.text.contains("\"'>"), "\(path)")
                if page.text.contains("&lt;script&gt;alert(1)") { shown += 1 }
            }
            #expect(shown > 15)
            let raw = try await console.server.admin.send(
                "GET", "/console/events/\(events[0].id)/raw", headers: [RunningConsole.operator])
            #expect(raw["content-type"] == "application/octet-stream" && raw["x-content-type-options"] == "nosniff")
            #expect(raw["content-disposition"]?.hasPrefix("attachment") == true)
        }
    }

    @Test("A viewer reads and does not act, and nobody else does either, whatever the method and the path look like")
    func roles() async throws {
        try await withConsole(.sqlite) { console in
            let body = "variant=1&plan=starter&form=\(UUID())"
            let viewed = try await console.server.admin.send(
                "GET", "/console/waiting", headers: [RunningConsole.viewer])
            #expect(viewed.status == 200)
            for (method, path) in [
                ("POST", "/console/acts/map"), ("GET", "/console/acts/map?variant=1"), ("HEAD", "/console/acts/map"),
                ("POST", "/console/waiting"), ("POST", "//console//acts//map"), ("POST", "/console/acts/%6Dap"),
                ("POST", "/console/%61cts/map"), ("POST", "/console/acts/map/"), ("POST", "/console/./acts/map"),
                ("POST", "/console/x/../acts/map"), ("POST", "/CONSOLE/acts/map"), ("PUT", "/console/acts/map"),
                ("PATCH", "/console/acts/map"), ("DELETE", "/console/acts/map"), ("post", "/console/acts/map"),
                ("GET", "/console/acts/map?plan=starter&variant=1&form=\(UUID())"),
            ] {
                for headers in [[RunningConsole.viewer], []] {
                    let reply = try await console.server.admin.send(
                        method, path,
                        headers: headers + [
                            RunningConsole.form, ("x-http-method-override", "POST"),
                            ("x-original-url", "/console/acts/map"),
                        ], body: method == "GET" || method == "HEAD" ? nil : Array(body.utf8))
                    #expect(
                        [303, 400, 401, 403, 404, 405].contains(reply.status), "\(method) \(path): \(reply.status)")
                }
            }
            #expect(try await console.store.primary.variants()["1"] == nil)
            // On the public port there is nothing.
            let elsewhere = try await console.server.client.send(
                "GET", "/console/", headers: [RunningConsole.operator])
            #expect(elsewhere.status == 404)
        }
    }

    @Test("A request of another site, or under another name, is refused whoever sends it")
    func origins() async throws {
        try await withConsole(.sqlite, ["SELEXTRACT_CONSOLE_HOSTS": "billing.example.com"]) { console in
            for (method, fields, status) in [
                ("POST", [("sec-fetch-site", "cross-site")], 403), ("POST", [("sec-fetch-site", "same-site")], 403),
                ("POST", [("sec-fetch-site", "none")], 403), ("GET", [("sec-fetch-site", "cross-site")], 403),
                ("POST", [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], 403),
                ("POST", [("origin", "https://evil.example")], 403), ("POST", [("origin", "null")], 403),
                ("POST", [("origin", "http://localhost:1")], 403), ("POST", [("origin", "http://localhost.evil")], 403),
                ("POST", [("origin", "http://localhost"), ("origin", "http://localhost")], 403),
                ("GET", [("origin", "http://localhost")], 200), ("GET", [("sec-fetch-site", "none")], 200),
            ] as [(String, [HTTPClient.Header], Int)] {
                let reply = try await console.server.admin.send(
                    method, method == "GET" ? "/console/" : "/console/acts/map",
                    headers: fields + [RunningConsole.operator],
                    body: method == "GET" ? nil : Array("variant=1&plan=starter&form=\(UUID())".utf8))
                #expect(reply.status == status, "\(method) \(fields)")
            }
            // A session's cookie without any word of where the request comes from.
            let session = try await console.session(RunningConsole.token)
            let bare = try await console.post(
                "acts/map", "variant=1&plan=starter&form=\(UUID())", headers: [("cookie", session)])
            #expect(bare.status == 403)
            #expect(try await console.store.primary.variants()["1"] == nil)

            // A name that somebody has pointed to this machine.
            for (host, isOwn) in [
                ("evil.example", false), ("localhost.evil.example", false), ("127.0.0.1.evil.example:80", false),
                ("localhost@evil", false), ("10.0.0.1", false), ("[::2]", false), ("0.0.0.0", false), ("", false),
                ("LOCALHOST:99", true), ("[::1]:8081", true), ("billing.example.com", true),
                ("x.billing.example.com", false),
            ] {
                let reply = try await console.server.admin.sendRaw(
                    Array(
                        "GET /console/ HTTP/1.1\r\nhost: \(host)\r\nauthorization: \(RunningConsole.operator.value)\r\n\r\n"
                            .utf8))
                #expect(isOwn ? reply.status == 200 : [400, 421].contains(reply.status), "\(host): \(reply.status)")
            }
            // Where a browser tells no site it tells its origin, but of a page that allows no referrer `null`.
            for (host, policy) in [("localhost", "no-referrer"), ("billing.example.com", "same-origin")] {
                let reply = try await console.server.admin.sendRaw(
                    Array("GET /console/login HTTP/1.1\r\nhost: \(host)\r\n\r\n".utf8))
                #expect(reply["referrer-policy"] == policy, "\(host)")
            }
            let twice = try await console.server.admin.sendRaw(
                Array("GET /console/ HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n".utf8))
            #expect([400, 421].contains(twice.status))
        }
    }

    @Test("A ticket opens one session, a token any, and neither is in a log, an address or a page afterwards")
    func login() async throws {
        let lines = LogLines()
        let ticket = "ticket-0123456789abcdef"
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open(), logger: lines.logger, options: { $0.consoleTicket = ticket }) {
                server in
                let first = try await server.admin.send("GET", "/console/login?ticket=\(ticket)")
                #expect(first.status == 303 && first["location"] == "/console/")
                let cookie = try #require(first["set-cookie"])
                #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(ticket))
                #expect(cookie.contains("Path=/console"))
                let session = String(cookie.prefix { $0 != ";" })
                #expect(try await server.admin.send("GET", "/console/login?ticket=\(ticket)").status == 401)
                #expect(try await server.admin.send("GET", "/console/login?token=\(ticket)").status == 200)
                let page = try await server.admin.send("GET", "/console/", headers: [("cookie", session)])
                #expect(page.status == 200 && !page.text.contains(ticket))
                // Two cookies of that name: somebody else has set one.
                let both = try await server.admin.send(
                    "GET", "/console/", headers: [("cookie", "\(session); selextract_console=\(UUID())")])
                #expect(both.status == 303)
                let out = try await server.admin.send(
                    "POST", "/console/logout", headers: [("cookie", session), ("sec-fetch-site", "same-origin")])
                #expect(out.status == 303)
                #expect(try await server.admin.send("GET", "/console/", headers: [("cookie", session)]).status == 303)
                let all = lines.all.joined()
                #expect(!all.contains(ticket) && !all.contains(session.dropFirst("selextract_console=".count)))
            }
        }
        try await withConsole(.sqlite, logger: lines.logger) { console in
            // In an address a token opens nothing.
            let address = try await console.server.admin.send("GET", "/console/login?token=\(RunningConsole.token)")
            #expect(
                address.status == 200 && address["set-cookie"] == nil && !address.text.contains(RunningConsole.token))
            let session = try await console.session(RunningConsole.viewerToken)
            let page = try await console.server.admin.send("GET", "/console/", headers: [("cookie", session)])
            #expect(page.status == 200 && !page.text.contains(RunningConsole.viewerToken))
            let act = try await console.server.admin.send(
                "POST", "/console/acts/map", headers: [("cookie", session), ("sec-fetch-site", "same-origin")],
                body: Array("variant=1&plan=starter&form=\(UUID())".utf8))
            #expect(act.status == 403)
            #expect(!lines.all.joined().contains(RunningConsole.viewerToken))
        }
    }

    @Test("Ten wrong tokens a minute from one address, and then not even the right one opens; who is in stays in")
    func guessing() async throws {
        try await withConsole(.sqlite) { console in
            let session = try await console.session(RunningConsole.token)
            for index in 0..<10 {
                let reply = try await console.post(
                    "login", "token=wrong\(index)", headers: [("sec-fetch-site", "same-origin")])
                #expect(reply.status == 401 && reply["set-cookie"] == nil)
            }
            let refused = try await console.post(
                "login", "token=\(RunningConsole.token)", headers: [("sec-fetch-site", "same-origin")])
            #expect(refused.status == 429 && refused["retry-after"] == "60")
            let bearer = try await console.server.admin.send("GET", "/console/", headers: [RunningConsole.operator])
            #expect(bearer.status == 429)
            let inside = try await console.server.admin.send("GET", "/console/", headers: [("cookie", session)])
            #expect(inside.status == 200)
            // Parts of a token, and what only looks like one, are wrong ones, too.
            #expect(try await console.server.admin.send("GET", "/healthz").status == 200)
        }
    }

    @Test("A proxy's word counts from its own network alone, and only if it is one word")
    func proxy() async throws {
        let header = "SELEXTRACT_CONSOLE_PROXY_HEADER"
        let networks = "SELEXTRACT_CONSOLE_PROXY_NETWORKS"
        let name: HTTPClient.Header = ("x-forwarded-user", "ada")
        try await withConsole(.sqlite, [header: "X-Forwarded-User", networks: "10.0.0.0/8, 127.0.0.0/8, ::1"]) {
            console in
            func status(_ headers: [HTTPClient.Header]) async throws -> Int {
                try await console.server.admin.send("GET", "/console/acts/map?variant=1", headers: headers).status
            }
            #expect(try await status([name]) == 200)
            #expect(try await status([]) == 303)
            #expect(try await status([("x-forwarded-user", "")]) == 303)
            for smuggled in [
                [name, ("X-Forwarded-User", "eve")], [name, ("x_forwarded_user", "eve")], [("x_forwarded_user", "eve")],
                [("x-forwarded-user", "ada, eve")], [("x-forwarded-user", String(repeating: "a", count: 300))],
            ] {
                #expect(try await status(smuggled) == 403, "\(smuggled)")
            }
            // A cross-site request has the proxy's header, too.
            let foreign = try await console.post(
                "acts/map", "variant=1&plan=starter&form=\(UUID())",
                headers: [name, ("origin", "https://evil.example")])
            #expect(foreign.status == 403)
            let page = try await console.server.admin.send(
                "GET", "/console/acts/map?variant=1", headers: [name]
            ).text
            let done = try await console.submit(
                page, with: "plan=starter", headers: [name, ("origin", "http://localhost")])
            #expect(done.status == 200)
            let act = try #require(try await console.store.primary.acts(limit: 1, before: nil).first)
            #expect(act.by?.name == "ada")
        }
        // What a header says of the peer's address is nobody's.
        try await withConsole(.sqlite, [header: "X-Forwarded-User", networks: "10.0.0.0/8"]) { console in
            for headers in [[name], [name, ("x-forwarded-for", "10.0.0.1")], [name, ("forwarded", "for=10.0.0.1")]] {
                let reply = try await console.server.admin.send("GET", "/console/", headers: headers)
                #expect(reply.status == 303)
            }
        }
        for variables in [
            [header: "X-User"], [networks: "10.0.0.0/8"], [header: "X User", networks: "10.0.0.0/8"],
        ] {
            #expect(throws: SettingsError.self) { try testSettings(variables) }
        }
        try await DatabaseKind.sqlite.withDatabase { database in
            for network in ["10.0.0.0/33", "10.0.0", "example.com", "10.0.0.0/-1", "::1/129", "/8"] {
                let store = try database.open()
                #expect(throws: SettingsError.self, "\(network)") {
                    try buildApplication(
                        settings: try testSettings([header: "X-User", networks: network]), store: store, logger: .silent
                    )
                }
                await store.close()
            }
        }
    }

    @Test("Without a login there is no console in production, and health goes on")
    func off() async throws {
        for variables in [["ENVIRONMENT": "production"], ["ADMIN_HOST": "0.0.0.0"]] {
            try await DatabaseKind.sqlite.withDatabase { database in
                let lines = LogLines()
                try await withServer(
                    try database.open(), variables, logger: lines.logger,
                    options: { $0.consoleTicket = "ticket-0123456789abcdef" }
                ) { (server: RunningServer) async throws -> Void in
                    #expect(try await server.admin.send("GET", "/console/").status == 404)
                    let login = try await server.admin.send("GET", "/console/login?ticket=ticket-0123456789abcdef")
                    #expect(login.status == 404)
                    #expect(try await server.admin.send("GET", "/healthz").status == 200)
                    #expect(lines.all.count { $0.contains("the console is off") } == 1)
                }
            }
        }
    }
}

extension RunningConsole {
    /// Logs in as a browser does, and gives the cookie.
    fileprivate func session(_ token: String) async throws -> String {
        let reply = try await post("login", "token=\(token)", headers: [("sec-fetch-site", "same-origin")])
        #expect(reply.status == 303)
        return String(try #require(reply["set-cookie"]).prefix { $0 != ";" })
    }
}
