import Billing
import BillingServer
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite("Console", .timeLimit(.minutes(15)))
struct ConsoleTests {
    private static let token = "operator-token-0123456789"
    private static let viewer = "viewer-token-0123456789"
    private static let variables = [
        "SELEXTRACT_CONSOLE_TOKEN": token, "SELEXTRACT_CONSOLE_VIEWER_TOKEN": viewer,
        "LEMON_SQUEEZY_STARTER_VARIANT_ID": "",
        "LEMON_SQUEEZY_PROFESSIONAL_VARIANT_ID": "", "LEMON_SQUEEZY_ENTERPRISE_VARIANT_ID": "",
    ]
    private static let bearer = ("authorization", "Bearer \(token)")
    private static let form = ("content-type", "application/x-www-form-urlencoded")

    @Test(
        "An unknown variant waits under its cause, is mapped, and the account has its units",
        arguments: DatabaseKind.allCases)
    func mapping(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await withServer(try database.open(), Self.variables) { server in
                let deliveries = try Fixtures.scenario("first-purchase")
                let user = try await server.createUser(of: deliveries[0].body)
                for delivery in deliveries { _ = try await server.deliver(delivery.body) }
                let event = try #require(
                    try await server.events().first { $0.outcome == .parked && $0.variantID != nil })
                let variant = try #require(event.variantID)
                let waiting = try await server.admin.send("GET", "/console/waiting", headers: [Self.bearer])
                #expect(waiting.status == 200)
                #expect(waiting.text.contains("Variant <b>\(variant)</b> means no plan"))
                let confirm = try await server.admin.send(
                    "GET", "/console/acts/map?variant=\(variant)", headers: [Self.bearer])
                #expect(confirm.text.contains("Map and decide"))
                // The page that confirms has done nothing.
                #expect(try await server.store.primary.variants()[variant] == nil)
                let body = Array("confirm=yes&variant=\(variant)&plan=starter".utf8)
                let done = try await server.admin.send(
                    "POST", "/console/acts/map", headers: [Self.bearer, Self.form], body: body)
                #expect(done.status == 200, "\(done.text)")
                let again = try await server.admin.send(
                    "POST", "/console/acts/map", headers: [Self.bearer, Self.form], body: body)
                #expect(again.status == 200)
                #expect(try await server.store.user(id: user)?.subscriptionTier == "starter")
                let empty = try await server.admin.send("GET", "/console/waiting", headers: [Self.bearer])
                #expect(empty.text.contains("Nothing waits."))
                for path in [
                    "", "waiting", "events", "events?outcome=applied", "events/\(event.id)", "accounts", "plans",
                    "accounts/\(user)", "subscriptions/\(event.subscriptionID ?? "")",
                ] {
                    let page = try await server.admin.send("GET", "/console/\(path)", headers: [Self.bearer])
                    #expect(page.status == 200, "\(path): \(page.text)")
                    #expect(page["content-security-policy"]?.hasPrefix("default-src 'none';") == true)
                    #expect(page["content-security-policy"]?.contains("unsafe") == false)
                    #expect(page["cache-control"] == "no-store" && page["referrer-policy"] == "no-referrer")
                    #expect(page["x-content-type-options"] == "nosniff" && page["x-robots-tag"] == "noindex")
                }
            }
        }
    }

    @Test("What a stranger writes into an e-mail is text on every page that shows it")
    func scripts() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open(), Self.variables) { server in
                let attack = "\\\"><script>alert(1)</script>"
                let body = String(decoding: try Fixtures.scenario("first-purchase")[0].body, as: UTF8.self)
                    .replacing("ada@example.com", with: attack)
                try #require(body.contains(attack))
                _ = try await server.deliver(Array(body.utf8))
                let event = try #require(try await server.events().first)
                for path in ["waiting", "events", "events/\(event.id)", "subscriptions/\(event.subscriptionID ?? "")"] {
                    let page = try await server.admin.send("GET", "/console/\(path)", headers: [Self.bearer])
                    #expect(page.status == 200, "\(path)")
                    #expect(!page.text.contains("<script>alert"), "\(path)")
                }
                let shown = try await server.admin.send("GET", "/console/events/\(event.id)", headers: [Self.bearer])
                #expect(shown.text.contains("&lt;script&gt;alert(1)"))
                let raw = try await server.admin.send("GET", "/console/events/\(event.id)/raw", headers: [Self.bearer])
                #expect(raw.body == Array(body.utf8))
                #expect(raw["content-type"] == "application/octet-stream")
                #expect(raw["content-disposition"]?.hasPrefix("attachment") == true)
            }
        }
    }

    @Test("A viewer reads and does not act, and nobody else does either")
    func roles() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open(), Self.variables) { server in
                let viewer = ("authorization", "Bearer \(Self.viewer)")
                #expect(try await server.admin.send("GET", "/console/waiting", headers: [viewer]).status == 200)
                for (method, path) in [
                    ("POST", "/console/acts/map"), ("GET", "/console/acts/map?variant=1"), ("POST", "/console/waiting"),
                    ("POST", "//console//acts//map"), ("POST", "/console/acts/%6Dap"), ("POST", "/console/%61cts/map"),
                ] {
                    let reply = try await server.admin.send(
                        method, path, headers: [viewer, Self.form],
                        body: Array("confirm=yes&variant=1&plan=starter".utf8))
                    #expect(reply.status == 403, "\(method) \(path)")
                }
                #expect(try await server.store.primary.variants()["1"] == nil)
                #expect(try await server.admin.send("GET", "/console/waiting").status == 303)
                let nobody = try await server.admin.send(
                    "POST", "/console/acts/map", headers: [("sec-fetch-site", "same-origin")],
                    body: Array("confirm=yes&variant=1&plan=starter".utf8))
                #expect(nobody.status == 401)
                #expect(try await server.client.send("GET", "/console/", headers: [Self.bearer]).status == 404)
            }
        }
    }

    @Test("A request of another site, or under another name, is refused whoever sends it")
    func origins() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open(), Self.variables) { server in
                for (method, fields, status) in [
                    ("POST", [("sec-fetch-site", "cross-site")], 403), ("POST", [("sec-fetch-site", "same-site")], 403),
                    ("POST", [("sec-fetch-site", "none")], 403), ("GET", [("sec-fetch-site", "cross-site")], 403),
                    ("POST", [("origin", "https://evil.example")], 403), ("POST", [("origin", "null")], 403),
                    ("POST", [("origin", "http://localhost"), ("origin", "http://localhost")], 403),
                    ("GET", [("origin", "http://localhost")], 200), ("GET", [("sec-fetch-site", "none")], 200),
                ] as [(String, [HTTPClient.Header], Int)] {
                    let reply = try await server.admin.send(
                        method, method == "GET" ? "/console/" : "/console/acts/map", headers: fields + [Self.bearer],
                        body: method == "GET" ? nil : Array("confirm=yes&variant=1&plan=starter".utf8))
                    #expect(reply.status == status, "\(method) \(fields)")
                }
                #expect(try await server.store.primary.variants()["1"] == nil)
                for host in [
                    "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "localhost@evil", "10.0.0.1",
                ] {
                    let reply = try await server.admin.sendRaw(
                        Array("GET /console/ HTTP/1.1\r\nhost: \(host)\r\nauthorization: \(Self.bearer.1)\r\n\r\n".utf8)
                    )
                    #expect([400, 421].contains(reply.status), "\(host)")
                }
            }
        }
    }

    @Test("A ticket opens one session, a wrong token none, and too many of them are refused even the right one")
    func login() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let lines = LogLines()
            let ticket = "ticket-0123456789abcdef"
            try await withServer(try database.open(), logger: lines.logger, options: { $0.consoleTicket = ticket }) {
                server in
                let first = try await server.admin.send("GET", "/console/login?ticket=\(ticket)")
                #expect(first.status == 303)
                let cookie = try #require(first["set-cookie"])
                #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(ticket))
                let session = String(cookie.prefix { $0 != ";" })
                #expect(try await server.admin.send("GET", "/console/login?ticket=\(ticket)").status == 401)
                #expect(try await server.admin.send("GET", "/console/", headers: [("cookie", session)]).status == 200)
                #expect(
                    try await server.admin.send(
                        "POST", "/console/logout", headers: [("cookie", session), ("sec-fetch-site", "same-origin")]
                    ).status == 303)
                #expect(try await server.admin.send("GET", "/console/", headers: [("cookie", session)]).status == 303)
                let all = lines.all.joined()
                #expect(!all.contains(ticket) && !all.contains(session.dropFirst("selextract_console=".count)))
            }
        }
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open(), Self.variables) { server in
                for index in 0..<10 {
                    let reply = try await server.admin.send(
                        "POST", "/console/login", headers: [("sec-fetch-site", "same-origin"), Self.form],
                        body: Array("token=wrong\(index)".utf8))
                    #expect(reply.status == 401)
                }
                let refused = try await server.admin.send(
                    "POST", "/console/login", headers: [("sec-fetch-site", "same-origin"), Self.form],
                    body: Array("token=\(Self.token)".utf8))
                #expect(refused.status == 429)
                #expect(try await server.admin.send("GET", "/console/", headers: [Self.bearer]).status == 429)
            }
        }
    }

    @Test("Without a login there is no console in production, and health goes on")
    func off() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let lines = LogLines()
            try await withServer(
                try database.open(), ["ENVIRONMENT": "production"], logger: lines.logger,
                options: { $0.consoleTicket = "ticket-0123456789abcdef" }
            ) { (server: RunningServer) async throws -> Void in
                #expect(try await server.admin.send("GET", "/console/").status == 404)
                #expect(
                    try await server.admin.send("GET", "/console/login?ticket=ticket-0123456789abcdef").status == 404)
                #expect(try await server.admin.send("GET", "/healthz").status == 200)
                let notices = lines.all.count { $0.contains("the console is off") }
                #expect(notices == 1)
            }
        }
    }
}
