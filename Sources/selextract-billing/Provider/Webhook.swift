import ArgumentParser
import Foundation
import LemonSqueezy
import LemonSqueezyAPI
import ServiceSettings

struct Webhook: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes, shows and rotates the webhook at Lemon Squeezy, by its API.",
        discussion: "Needs LEMON_SQUEEZY_API_KEY and PUBLIC_URL. No command shows a secret.",
        subcommands: [WebhookCreate.self, WebhookShow.self, WebhookRotate.self]
    )

    static let columns: [Column<APIObject>] = [
        Column("id") { Cell($0.id) },
        Column("url") { Cell($0.attributes["url"]?.text(atMost: 1000)) },
        Column("store_id") { Cell($0.attributes["store_id"]?.identifier) },
        Column("test_mode") { Cell($0.attributes["test_mode"]?.bool) },
        Column("last_sent_at") { Cell($0.attributes["last_sent_at"]?.date) },
        Column("events") { .list(events(of: $0)) },
    ]

    static func events(of webhook: APIObject) -> [String] {
        guard case .array(let names)? = webhook.attributes["events"] else { return [] }
        return names.compactMap { $0.text(atMost: 100) }
    }

    /// A document that changes attributes of a webhook.
    static func change(_ id: String, _ attributes: [JSONValue.Member]) -> JSONValue {
        .object([
            .init(
                "data",
                .object([
                    .init("type", .string("webhooks")), .init("id", .string(id)),
                    .init("attributes", .object(attributes)),
                ]))
        ])
    }

    static func names(_ events: [String]) -> JSONValue { .array(events.map(JSONValue.string)) }
}

struct WebhookShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "The webhooks at Lemon Squeezy that lead to PUBLIC_URL.")

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let settings = try Settings.load()
        let url = try NeededWebhook.url(settings)
        let found = try await withAPI(settings) { try await NeededWebhook.find(url, settings, in: $0) }
        try output.print { $0.list("webhooks", Webhook.columns, found) }
    }
}

struct WebhookCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Makes the webhook with a fresh secret, or adds events that it lacks.",
        discussion: """
            The secret is written to a file that only its owner may read, and is never shown. Let \
            LEMON_SQUEEZY_WEBHOOK_SECRET_FILE name that file, and start `serve`. A webhook that exists keeps its secret, \
            and gets the events that it lacks.
            """)

    @Option(
        help: ArgumentHelp(
            "Where to write the secret. (default: LEMON_SQUEEZY_WEBHOOK_SECRET_FILE)", valueName: "path"))
    var secretFile: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        // The file that the setting names is what is to be made.
        let name = "LEMON_SQUEEZY_WEBHOOK_SECRET_FILE"
        var environment = ProcessInfo.processInfo.environment
        let named = environment.removeValue(forKey: name).flatMap { $0.isEmpty ? nil : $0 }
        let settings = try Settings.load(environment: environment)
        let url = try NeededWebhook.url(settings)
        try await withAPI(settings) { api in
            if let webhook = try await NeededWebhook.find(url, settings, in: api).first {
                return try await addEvents(to: webhook, api)
            }
            guard let path = secretFile ?? named else {
                throw Failure("say where to write the secret: --secret-file PATH")
            }
            let file = SecretFile(path: path)
            if file.exists {
                throw Failure("“\(path)” exists already, and may hold a secret that is in use: name another file")
            }
            try await create(url, store(settings, api), file, api)
        }
    }

    private func store(_ settings: Settings, _ api: LemonSqueezyAPI) async throws -> String {
        if let id = settings.storeID { return id }
        let stores = try await api.all("stores")
        guard let only = stores.first, stores.count == 1 else {
            throw Failure(
                stores.isEmpty
                    ? "the key's account has no store"
                    : "set LEMON_SQUEEZY_STORE_ID to one of \(stores.map(\.id).joined(separator: ", "))")
        }
        return only.id
    }

    private func create(_ url: String, _ store: String, _ file: SecretFile, _ api: LemonSqueezyAPI) async throws {
        let isTest = try await api.isTestMode()
        let secret = SecretFile.freshSecret()
        // First the file: a secret that only Lemon Squeezy knows is of no use.
        try file.write(secret)
        var attributes: [JSONValue.Member] = [
            .init("url", .string(url)), .init("events", Webhook.names(NeededWebhook.events.map(\.rawValue))),
            .init("secret", .string(secret)),
        ]
        if let isTest { attributes.append(.init("test_mode", .bool(isTest))) }
        let document = JSONValue.object([
            .init(
                "data",
                .object([
                    .init("type", .string("webhooks")), .init("attributes", .object(attributes)),
                    .init(
                        "relationships",
                        .object([
                            .init(
                                "store",
                                .object([
                                    .init(
                                        "data",
                                        .object([.init("type", .string("stores")), .init("id", .string(store))]))
                                ]))
                        ])),
                ]))
        ])
        let webhook: APIObject
        do {
            webhook = try await api.send("POST", "webhooks", document)
        } catch let error as APIError where [.unauthorized, .notFound, .refused, .rateLimited].contains(error.kind) {
            file.remove()
            throw error
        } catch {
            throw Failure(
                "\(error); if `webhook show` lists it now, its secret is in “\(file.path)”: else delete that file and try again"
            )
        }
        try output.print {
            $0.record("webhook", Webhook.columns, webhook)
            $0.note("The secret is in “\(file.path)”: set LEMON_SQUEEZY_WEBHOOK_SECRET_FILE to it, and start `serve`.")
        }
    }

    private func addEvents(to webhook: APIObject, _ api: LemonSqueezyAPI) async throws {
        let chosen = Webhook.events(of: webhook)
        let missing = NeededWebhook.events.map(\.rawValue).filter { !chosen.contains($0) }
        let changed =
            missing.isEmpty
            ? webhook
            : try await api.send(
                "PATCH", "webhooks/\(webhook.id)",
                Webhook.change(webhook.id, [.init("events", Webhook.names(chosen + missing))]))
        try output.print {
            $0.record("webhook", Webhook.columns, changed)
            $0.note(
                missing.isEmpty
                    ? "It exists already and has all events; its secret was left as it is."
                    : "It existed already; events were added: \(missing.joined(separator: ", ")).")
        }
    }
}
