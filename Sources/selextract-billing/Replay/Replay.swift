import Accounts
import ArgumentParser
import Foundation
import LemonSqueezy
import ServiceSettings
import Storage

struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Signs payload files and posts them to a listener, byte for byte.",
        discussion: """
            The secret is that of --secret-file, else the setting LEMON_SQUEEZY_WEBHOOK_SECRET. The exit code is 1 if any \
            payload was not answered with 200.
            """
    )

    @Argument(help: "Payload files, or folders of them, which are sent in order of their names.")
    var path: [String]
    @Option(help: "The listener. (default: from HOST and PORT)")
    var url: String?
    @Option(
        help: ArgumentHelp("A file that holds the signing secret, and perhaps a newline.", valueName: "file"))
    var secretFile: String?
    @Flag(help: "First create the accounts that the payloads name, in the database of DATABASE_URL.")
    var createUsers = false
    @Option(name: .customLong("repeat"), help: ArgumentHelp("Send everything so many times.", valueName: "n"))
    var repetitions = 1
    @Flag(help: "Send in random order.")
    var shuffle = false
    @Option(help: ArgumentHelp("How many to have under way at once.", valueName: "n"))
    var concurrency = 1
    @Flag(help: "Move all times so that the last event is now.")
    var rebase = false
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if path.isEmpty { throw ValidationError("Name a payload file or a folder.") }
        guard (1...1_000_000).contains(repetitions) else {
            throw ValidationError("--repeat must be from 1 to 1000000.")
        }
        guard (1...1000).contains(concurrency) else { throw ValidationError("--concurrency must be from 1 to 1000.") }
        if let url, Self.endpoint(url) == nil {
            throw ValidationError("--url must be http://HOST or https://HOST, with a port and a path if need be.")
        }
    }

    func run() async throws {
        let settings = try Settings.load()
        guard let endpoint = Self.endpoint(url ?? settings.publicURL()) else {
            throw Failure("HOST and PORT make no URL: give one by --url")
        }
        let secret = try secret(settings)
        var payloads = try path.flatMap(Payload.read)
        if payloads.isEmpty { throw Failure("there are no .json files in \(path.joined(separator: ", "))") }
        if rebase { payloads = Payload.rebased(payloads, to: Date()) }
        if createUsers { try await createAccounts(of: payloads, settings) }

        var order = Array(repeatElement(payloads.indices, count: repetitions).joined())
        if shuffle { order.shuffle() }
        let deliveries = payloads.map { payload in
            HTTPClient.Post(
                url: endpoint, body: payload.body,
                headers: [
                    "Content-Type": "application/json",
                    "X-Signature": Signature.sign(payload.body, secret: secret),
                    "X-Event-Name": (try? WebhookEvent(body: payload.body))?.name.rawValue ?? "",
                ])
        }
        let report = await Replayer(posts: deliveries, concurrency: concurrency).send(order)
        try output.print(report.document)
        if !report.isFine { throw ExitCode.failure }
    }

    /// Where the listener takes webhooks, if only the listener was named.
    static func endpoint(_ text: String) -> URL? {
        guard var parts = URLComponents(string: text), let host = parts.host, !host.isEmpty,
            parts.scheme == "http" || parts.scheme == "https", parts.user == nil
        else { return nil }
        if parts.path.isEmpty || parts.path == "/" { parts.path = "/webhooks/lemon-squeezy" }
        return parts.url
    }

    private func secret(_ settings: Settings) throws -> String {
        guard let secretFile else {
            guard let secret = settings.webhookSecret else {
                throw Failure("set LEMON_SQUEEZY_WEBHOOK_SECRET, or give the signing secret by --secret-file")
            }
            return secret
        }
        guard let data = FileManager.default.contents(atPath: secretFile),
            let text = String(data: data, encoding: .utf8)
        else { throw Failure("“\(secretFile)” cannot be read") }
        let secret = text.last?.isNewline == true ? String(text.dropLast()) : text
        if secret.isEmpty { throw Failure("“\(secretFile)” is empty") }
        if let error = SettingsError(signingSecret: secret, from: "the secret in “\(secretFile)”") { throw error }
        return secret
    }

    /// Those that exist stay as they are.
    private func createAccounts(of payloads: [Payload], _ settings: Settings) async throws {
        try await withStore(settings) { store, settings in
            for account in Payload.accounts(payloads) where try await store.user(id: account.id) == nil {
                _ = try await store.createAccount(
                    NewUser(id: account.id, email: account.email), policy: settings.policy)
            }
        }
    }
}
