import ArgumentParser
import Billing
import Foundation
import LemonSqueezy
import LemonSqueezyAPI
import ServiceSettings
import Storage

struct WebhookRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Gives the webhook a fresh secret, in an order that refuses no delivery.",
        discussion: """
            Both secrets have to be in files: LEMON_SQUEEZY_WEBHOOK_SECRET_FILE and \
            LEMON_SQUEEZY_WEBHOOK_SECRET_PREVIOUS_FILE, which need not exist yet. The old secret becomes the previous one, \
            a fresh one takes its place, and when `serve` accepts that, Lemon Squeezy is told. Repetitions signed with \
            the old one are still accepted: --finish takes it away once they have ended.
            """)

    @Option(help: "The listener that has to accept the new secret first. (default: from HOST and PORT)")
    var url: String?
    @Flag(help: "Tell Lemon Squeezy the present secret again, where a rotation was cut short.")
    var again = false
    @Flag(help: "End a rotation: the previous secret is accepted no longer.")
    var finish = false

    mutating func validate() throws {
        if again && finish { throw ValidationError("--again and --finish cannot be had together.") }
        if let url, Replay.endpoint(url) == nil {
            throw ValidationError("--url must be http://HOST or https://HOST, with a port and a path if need be.")
        }
    }

    func run() async throws {
        let settings = try Settings.load()
        guard let path = settings.webhookSecretFile, let previousPath = settings.previousWebhookSecretFile else {
            throw Failure(
                "set LEMON_SQUEEZY_WEBHOOK_SECRET_FILE and LEMON_SQUEEZY_WEBHOOK_SECRET_PREVIOUS_FILE, here and for `serve`: it takes changed files without a restart"
            )
        }
        let (file, previous) = (SecretFile(path: path), SecretFile(path: previousPath))
        if finish { return try await end(previous, settings) }
        guard let present = settings.webhookSecret else { throw Failure("“\(path)” holds no secret") }
        if !again, settings.previousWebhookSecret != nil {
            throw Failure(
                "the rotation before has not ended: `webhook rotate --finish` first, or --again if it was cut short")
        }
        let address = try NeededWebhook.url(settings)
        try await withAPI(settings) { api in
            guard let webhook = try await NeededWebhook.find(address, settings, in: api).first else {
                throw Failure("no webhook at Lemon Squeezy leads to \(address): `webhook create` makes it")
            }
            let secret = again ? present : SecretFile.freshSecret()
            if !again {
                try previous.write(present)
                try file.write(secret)
            }
            func takeBack() throws {
                guard !again else { return }
                try file.write(present)
                previous.remove()
            }
            guard await isAccepted(secret, settings) else {
                try takeBack()
                throw Failure(
                    "`serve` does not accept the new secret, so nothing was changed: it must run with the same two files, and --url must lead to it"
                )
            }
            do {
                _ = try await api.send(
                    "PATCH", "webhooks/\(webhook.id)", Webhook.change(webhook.id, [.init("secret", .string(secret))]))
            } catch let error as APIError
                where [.unauthorized, .notFound, .refused, .rateLimited].contains(error.kind)
            {
                try takeBack()
                throw Failure("\(error); nothing was changed")
            } catch {
                // Lemon Squeezy has the one or the other: both are accepted.
                throw Failure("\(error); both secrets are accepted: run `webhook rotate --again`")
            }
        }
        let text = """
            Lemon Squeezy signs with the new secret now. The old one is still accepted, for repetitions under way.
            In five minutes or later: webhook rotate --finish

            """
        try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }

    /// Whether the listener takes a delivery signed so, within ten seconds. Several may share the address: it has to say
    /// so three times running.
    private func isAccepted(_ secret: String, _ settings: Settings) async -> Bool {
        guard let endpoint = Replay.endpoint(url ?? settings.publicURL()) else { return false }
        // Authentic, about nothing: it is stored once, and ignored.
        let body = JSONValue.object([
            .init("meta", .object([.init("event_name", .string("webhook_rotated"))])),
            .init(
                "data",
                .object([
                    .init("type", .string("webhook-rotations")), .init("id", .string(UUID().text)),
                    .init("attributes", .object([])),
                ])),
        ]).wireBytes()
        let post = HTTPClient.Post(
            url: endpoint, body: body,
            headers: ["Content-Type": "application/json", "X-Signature": Signature.sign(body, secret: secret)])
        let client = HTTPClient(connections: 1)
        defer { client.close() }
        let deadline = ContinuousClock.now + .seconds(10)
        var accepted = 0
        while ContinuousClock.now < deadline {
            if case .status(200, _) = await client.send(post) { accepted += 1 } else { accepted = 0 }
            if accepted == 3 { return true }
            try? await Task.sleep(for: .milliseconds(200))
        }
        return false
    }

    private func end(_ previous: SecretFile, _ settings: Settings) async throws {
        guard settings.previousWebhookSecret != nil else { throw Failure("there is no previous secret to take away") }
        let (last, now) = try await withStore(settings) { store, _ in
            let events = try await store.primary.eventRecords(EventFilter(), limit: 200, before: nil).rows
            let last = events.filter { $0.matchedSecret == SecretMatch.previous.rawValue }.map(\.lastReceivedAt).max()
            return (last, try await store.transaction { try await $0.now() })
        }
        if let last, now.timeIntervalSince(last) < 300 {
            throw Failure(
                "a delivery signed with the previous secret came at \(last.formatted(.iso8601)): wait until five minutes have passed without one"
            )
        }
        previous.remove()
        try FileHandle.standardOutput.write(contentsOf: Data("The previous secret is accepted no longer.\n".utf8))
    }
}
