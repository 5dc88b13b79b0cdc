import Billing
import BillingServer
import Databases
import Foundation
import Logging
import Payloads
import Storage
import TestSupport
import Testing

/// The console of an application that listens, as an operator's program uses it.
struct RunningConsole: Sendable {
    static let token = "operator-token-0123456789"
    static let viewerToken = "viewer-token-0123456789"
    static let `operator`: HTTPClient.Header = ("authorization", "Bearer \(token)")
    static let viewer: HTTPClient.Header = ("authorization", "Bearer \(viewerToken)")
    static let form: HTTPClient.Header = ("content-type", "application/x-www-form-urlencoded")

    let server: RunningServer
    let database: TestDatabase
    let log: LogLines
    var store: Store { server.store }

    /// Why pages failed.
    var failures: [String] { log.all.filter { $0.contains("a page of the console failed") } }

    /// A page, which has to be there.
    func get(_ path: String) async throws -> String {
        let reply = try await server.admin.send("GET", "/console/\(path)", headers: [Self.operator])
        #expect(reply.status == 200, "\(path): \(reply.text) \(failures)")
        return reply.text
    }

    func post(_ path: String, _ body: String, headers: [HTTPClient.Header] = [Self.operator]) async throws -> HTTPReply
    {
        try await server.admin.send("POST", "/console/\(path)", headers: headers + [Self.form], body: Array(body.utf8))
    }

    /// Sends a page's form, with what it holds already and what is filled in.
    func submit(
        _ page: String, with filled: String, headers: [HTTPClient.Header] = [Self.operator]
    ) async throws -> HTTPReply {
        let action = try #require(page.firstMatch(of: #/method="post" action="\/console\/(acts\/[a-z-]+)"/#)).1
        let hidden = page.matches(of: #/<input type="hidden" name="([a-z]+)" value="([^"]*)">/#).map {
            "\($0.1)=\($0.2)"
        }
        return try await post(
            String(action), (hidden + [filled]).joined(separator: "&"), headers: headers)
    }

    /// A purchase whose variant means nothing: two events wait.
    func parkedPurchase() async throws -> (user: UUID, event: EventRecord) {
        let deliveries = try Fixtures.scenario("first-purchase")
        let user = try await server.createUser(of: deliveries[0].body)
        for delivery in deliveries { _ = try await server.deliver(delivery.body) }
        let event = try #require(
            try await server.events().first { $0.outcome == .parked && $0.variantID != nil })
        return (user, event)
    }
}

/// - Parameter mapped: whether the plans have their variants.
func withConsole(
    _ kind: DatabaseKind, _ variables: [String: String] = [:], mapped: Bool = false, logger: Logger? = nil,
    _ body: (RunningConsole) async throws -> Void
) async throws {
    var settings = [
        "SELEXTRACT_CONSOLE_TOKEN": RunningConsole.token, "SELEXTRACT_CONSOLE_VIEWER_TOKEN": RunningConsole.viewerToken,
    ]
    if !mapped {
        for plan in ["STARTER", "PROFESSIONAL", "ENTERPRISE"] { settings["LEMON_SQUEEZY_\(plan)_VARIANT_ID"] = "" }
    }
    let lines = LogLines()
    try await kind.withDatabase { database in
        try await withServer(
            try database.open(), settings.merging(variables) { $1 }, logger: logger ?? lines.logger,
            options: { $0.consolePages = try? DatabaseConfiguration(url: database.url).openForPages() }
        ) { server in
            try await body(RunningConsole(server: server, database: database, log: lines))
        }
    }
}
