import ArgumentParser
import BillingServer
import Foundation
import LemonSqueezy
import Selextract
import ServiceSettings
import Storage

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Everything at once, without set-up: a listener with a throw-away database, and scenarios replayed into it.",
        discussion: "The clock is moved along with the events, so that renewals and the ends of months are seen.")

    @Option(
        help: ArgumentHelp("A folder of scenarios. (default: those inside the program)", valueName: "folder"))
    var scenarios: String?
    @Option(help: ArgumentHelp("One of them, or several. (default: those inside the program)", valueName: "name"))
    var scenario: [String] = []
    @Flag(help: "Stay afterwards, with the listener and the console, until it is interrupted.")
    var serve = false
    @OptionGroup var output: OutputOptions

    /// The scenarios that are shown. They are inside the program, so that it needs no files.
    static let choice = [
        "first-purchase", "renewal", "failed-renewal-recovered", "cancel-then-expired", "plan-change-upgrade",
        "pause-void-unpause", "trial", "yearly", "two-subscriptions", "mistakes-resent-renewal", "unknown-account",
    ]

    func run() async throws {
        let names = scenario.isEmpty ? Self.choice : scenario
        let acts = try names.map { try DemoAct(name: $0, payloads: payloads(of: $0)) }
        try await DemoStage.with(serves: serve) { stage in
            try output.print(try await stage.play(acts))
            if serve { await stage.stay() }
        }
    }

    private func payloads(of name: String) throws -> [Payload] {
        if let scenarios { return try Payload.read("\(scenarios)/\(name)") }
        let payloads = Self.deliveries.filter { $0.scenario == name }
            .map { Payload(path: "\(name)/\($0.file)", body: Array($0.body.utf8)) }
        if payloads.isEmpty {
            let names = Self.choice.joined(separator: ", ")
            throw Failure("“\(name)” is not inside the program; --scenarios reads a folder. Inside are \(names)")
        }
        return payloads
    }
}

/// A scenario in the demonstration: its account and its deliveries.
struct DemoAct: Sendable {
    let name: String
    let accountID: UUID
    /// Each with the provider's moment.
    let deliveries: [(at: Date, event: WebhookEvent, body: [UInt8])]

    init(name: String, payloads: [Payload]) throws {
        self.name = name
        var deliveries: [(at: Date, event: WebhookEvent, body: [UInt8])] = []
        for payload in payloads {
            guard let event = try? WebhookEvent(body: payload.body) else {
                throw Failure("“\(payload.path)” is no event")
            }
            deliveries.append((event.updatedAt ?? deliveries.last?.at ?? Date(), event, payload.body))
        }
        guard let accountID = deliveries.lazy.compactMap(\.event.customUserID).compactMap(UUID.init(uuidString:)).first
        else {
            throw Failure("the scenario “\(name)” names no account")
        }
        self.accountID = accountID
        self.deliveries = deliveries
    }
}

extension WebhookEvent {
    /// The provider's `updated_at`.
    fileprivate var updatedAt: Date? {
        switch object {
        case .subscription(let snapshot): snapshot.updatedAt
        case .invoice(let invoice): invoice.updatedAt
        case .order(let order): order.updatedAt
        case .other, .undecodable: nil
        }
    }
}
