import BillingServer
import Foundation
import LemonSqueezy
import Logging
import Payloads
import Selextract
import ServiceLifecycle
import ServiceSettings
import Storage
import Synchronization
import TestSupport

/// An application that listens, and what a test asks it.
struct RunningServer: Sendable {
    static let secret = "test-webhook-secret-0123456789"

    let client: HTTPClient
    let admin: HTTPClient
    let store: Store
    /// Stops it, as a signal would.
    let stop: @Sendable () async -> Void

    /// Posts a body with its signature.
    func deliver(_ body: [UInt8], headers: [HTTPClient.Header] = []) async throws -> HTTPReply {
        try await client.send(
            "POST", "/webhooks/lemon-squeezy", headers: headers + [Self.signature(body)], body: body)
    }

    static func signature(_ body: [UInt8], secret: String = secret) -> HTTPClient.Header {
        ("x-signature", Signature.sign(body, secret: secret))
    }

    func events() async throws -> [EventRecord] {
        try await store.primary.eventRecords(EventFilter(), limit: 10_000, before: nil).rows
    }

    /// Creates the account that a payload names.
    func createUser(of body: [UInt8]) async throws -> UUID {
        let event = try WebhookEvent(body: body)
        guard let user = event.customUserID.flatMap(UUID.init(uuidString:)) else {
            throw HTTPClient.Failure(description: "the payload names no account")
        }
        return try await store.createUser(email: event.email ?? "ada@example.com", id: user).id
    }
}

/// Settings of an environment that holds these variables, a secret and two free ports, and nothing else.
func testSettings(_ variables: [String: String] = [:]) throws -> Settings {
    let defaults = [
        "LEMON_SQUEEZY_WEBHOOK_SECRET": RunningServer.secret, "PORT": "0", "ADMIN_PORT": "0",
        "LEMON_SQUEEZY_STARTER_VARIANT_ID": "101", "LEMON_SQUEEZY_PROFESSIONAL_VARIANT_ID": "102",
        "LEMON_SQUEEZY_ENTERPRISE_VARIANT_ID": "103",
    ]
    return try Settings.load(environment: defaults.merging(variables) { $1 }, directory: "/nonexistent")
}

/// Lends an application on a store, which it closes in the end.
func withServer<Result: Sendable>(
    _ store: Store, _ variables: [String: String] = [:], logger: Logger = .silent,
    options change: (inout ApplicationOptions) -> Void = { _ in },
    _ body: (RunningServer) async throws -> Result
) async throws -> Result {
    let settings = try testSettings(variables)
    try await prepare(store: store, settings: settings)
    let (listening, listens) = AsyncStream.makeStream(of: (Listener, Int).self)
    var options = ApplicationOptions()
    change(&options)
    options.onListening = { listens.yield(($0, $1)) }
    let application = try buildApplication(settings: settings, store: store, logger: logger, options: options)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { listens.finish() }
            try await application.run()
        }
        var ports: [Listener: Int] = [:]
        for await (listener, port) in listening {
            ports[listener] = port
            if ports.count == 2 { break }
        }
        guard let port = ports[.public], let adminPort = ports[.admin] else {
            try await group.next()
            throw HTTPClient.Failure(description: "the application ended before it listened")
        }
        let server = RunningServer(
            client: HTTPClient(port: port), admin: HTTPClient(port: adminPort), store: store,
            stop: { await application.triggerGracefulShutdown() })
        do {
            let result = try await body(server)
            await application.triggerGracefulShutdown()
            try await group.waitForAll()
            return result
        } catch {
            await application.triggerGracefulShutdown()
            throw error
        }
    }
}

extension Logger {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// Lines that were logged.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger {
        var logger = Logger(label: "test") { label in
            RecordLogHandler(label: label) { record in self.lines.withLock { $0.append(record.line(as: .json)) } }
        }
        logger.logLevel = .trace
        return logger
    }
}

extension Date {
    /// Half an hour after the purchases of the scenarios.
    static let testNow = Date(timeIntervalSince1970: 1_791_799_200)
}
