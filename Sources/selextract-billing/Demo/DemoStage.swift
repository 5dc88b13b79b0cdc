import Accounts
import ArgumentParser
import Billing
import BillingServer
import Console
import Databases
import Foundation
import LemonSqueezy
import Logging
import Selextract
import ServiceLifecycle
import ServiceSettings
import Storage
import Synchronization

/// A listener on a free port, a database that is thrown away, and a clock that is moved.
struct DemoStage: Sendable {
    private let store: Store
    private let settings: Settings
    private let clock: DemoClock
    private let url: URL
    /// Opens the console once; nil: it is not open.
    private let consoleAddress: String?
    /// Ends when the application has.
    private let running: AsyncStream<Never>

    /// Sets the stage, lends it, and clears everything away.
    ///
    /// - Parameter serves: whether the console is open, and a signal ends it.
    static func with<Result: Sendable>(
        serves: Bool = false, _ body: @Sendable (DemoStage) async throws -> Result
    ) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("selextract-demo-\(UUID().text)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let settings = try Settings.load(
            environment: [
                "DATABASE_URL": "sqlite:\(folder.path)/demo.sqlite3", "PORT": "0",
                "ADMIN_PORT": serves ? "0" : "",
                "LEMON_SQUEEZY_WEBHOOK_SECRET": UUID().text, "LEMON_SQUEEZY_STARTER_VARIANT_ID": "101",
                "LEMON_SQUEEZY_PROFESSIONAL_VARIANT_ID": "102", "LOG_LEVEL": "critical",
            ], directory: folder.path)
        let clock = DemoClock()
        var configuration = settings.databaseConfiguration(logger: settings.logger())
        configuration.clock = { clock.now }
        let store = try configuration.open()
        try await prepare(store: store, settings: settings)
        try await store.mapVariant("111", to: "starter")

        let (ports, listening) = AsyncStream.makeStream(of: (Listener, Int).self)
        let (running, ended) = AsyncStream.makeStream(of: Never.self)
        var options = ApplicationOptions()
        options.onListening = { listening.yield(($0, $1)) }
        options.endsOnSignals = serves
        let ticket = ConsoleAccess.random()
        options.consoleTicket = ticket
        options.consoleSurroundings.settings = settings.shown
        options.consoleSurroundings.version = SelextractBilling.configuration.version
        options.consoleSurroundings.now = { clock.now }
        let application = try buildApplication(
            settings: settings, store: store, logger: settings.logger(), options: options)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer {
                    listening.finish()
                    ended.finish()
                }
                try await application.run()
            }
            var told: [Listener: Int] = [:]
            for await (listener, port) in ports {
                told[listener] = port
                if told.count == (serves ? 2 : 1) { break }
            }
            guard let port = told[.public], let url = Replay.endpoint("http://127.0.0.1:\(port)") else {
                try await group.next()
                throw Failure("the listener did not start")
            }
            let address = told[.admin].map { "http://127.0.0.1:\($0)/console/login?ticket=\(ticket)" }
            let stage = DemoStage(
                store: store, settings: settings, clock: clock, url: url, consoleAddress: address, running: running)
            let result = try await body(stage)
            await application.triggerGracefulShutdown()
            try await group.waitForAll()
            return result
        }
    }

    /// Says where the console is, and returns when a signal has ended the application.
    func stay() async {
        let text = """

            Listening at \(url.absoluteString)
            Console, opened once by \(consoleAddress ?? "")
            Its clock stands at \(clock.now.formatted(.iso8601)). Ctrl-C ends it, and throws the database away.

            """
        LogWriter.standardError.write(text)
        for await _ in running {}
    }

    /// Delivers the events of all acts in the order of their times, and runs the clock in between.
    func play(_ acts: [DemoAct]) async throws -> Document {
        let opening = Date(timeIntervalSince1970: 1_790_812_800)  // 2026-10-01 00:00:00 UTC
        clock.now = opening
        for act in acts where act.name != "unknown-account" {
            _ = try await store.createUser(NewUser(id: act.accountID, email: "\(act.name)@example.com"))
        }
        var scenes: [DemoScene] = []
        var shown: [UUID: String] = [:]
        let client = HTTPClient(connections: 1)
        defer { client.close() }
        let deliveries = acts.flatMap { act in act.deliveries.map { (act, $0) } }.sorted { $0.1.at < $1.1.at }
        for (act, delivery) in deliveries {
            try await tick(until: delivery.at, acts, &scenes, &shown)
            clock.now = delivery.at
            let answer = await client.send(
                HTTPClient.Post(
                    url: url, body: delivery.body,
                    headers: ["X-Signature": Signature.sign(delivery.body, secret: settings.webhookSecret ?? "")]))
            try await scenes.append(scene(act, delivery.event.name.rawValue, answer, &shown))
        }
        let last = deliveries.map(\.1.at).max() ?? opening
        for act in acts where act.name == "unknown-account" {
            _ = try await store.createUser(NewUser(id: act.accountID, email: "\(act.name)@example.com"))
        }
        try await tick(until: last.addingTimeInterval(20 * 86_400), acts, &scenes, &shown)
        return try await document(acts, scenes)
    }

    /// Runs the clock at noon of each day on the way, and shows what it changed.
    private func tick(
        until moment: Date, _ acts: [DemoAct], _ scenes: inout [DemoScene], _ shown: inout [UUID: String]
    ) async throws {
        while true {
            let noon = (clock.now.timeIntervalSince1970 / 86_400 + 0.5).rounded(.down) * 86_400 + 43_200
            guard noon < moment.timeIntervalSince1970 else { return }
            clock.now = Date(timeIntervalSince1970: noon)
            let report = try await Accounts.Tick(store, policy: settings.policy).run()
            guard report.changed + report.released > 0 else { continue }
            for act in acts {
                let before = shown[act.accountID]
                let scene = try await scene(act, "(the clock)", nil, &shown)
                if shown[act.accountID] != before && before != nil { scenes.append(scene) }
            }
        }
    }

    private func scene(
        _ act: DemoAct, _ event: String, _ answer: HTTPClient.Answer?, _ shown: inout [UUID: String]
    ) async throws -> DemoScene {
        let user = try await store.user(id: act.accountID)
        let now = user.map { "\($0.subscriptionTier) \($0.computeUnitsRemaining) \($0.computeUnitsResetDate)" } ?? ""
        let isChanged = shown[act.accountID] != now
        shown[act.accountID] = now
        return DemoScene(
            at: clock.now, account: act.name, event: event, answer: answer.map(\.word), user: user, isChanged: isChanged
        )
    }

    private func document(_ acts: [DemoAct], _ scenes: [DemoScene]) async throws -> Document {
        var users: [User] = []
        var buckets: [(account: String, bucket: Bucket)] = []
        for act in acts {
            users += [try await store.user(id: act.accountID)].compactMap(\.self)
            buckets += try await store.buckets(user: act.accountID)
                .filter { $0.begin <= clock.now && $0.line != .free }
                .map { (act.name, $0) }
        }
        let check = try await Accounts.Rebuild(store, policy: settings.policy).run(check: true)
        var document = Document()
        // One account after the other, so that each tells its story.
        let stories = acts.flatMap { act in scenes.filter { $0.account == act.name } }
        document.list("deliveries", DemoScene.columns, stories)
        document.list("accounts", Users.columns, users)
        document.list(
            "buckets",
            [Column("account") { Cell($0.account) }]
                + UsersShow.bucketColumns.map { column in
                    Column(column.key, title: column.title, inTable: column.isInTable) { column.cell($0.bucket) }
                }, buckets)
        let variants = try await store.primary.variants()
        document.list("plans", PlanRow.columns, try await store.primary.plans().map { PlanRow($0, variants: variants) })
        document.value("differences", Cell(check.differences.count))
        document.note(
            "\(check.events) events and \(check.accounts) accounts computed afresh: \(check.differences.count) differences"
        )
        return document
    }
}

/// What one delivery, or the clock, led to.
struct DemoScene: Sendable {
    var at: Date
    var account: String
    var event: String
    var answer: String?
    var user: User?
    var isChanged: Bool

    /// The plan and the units are only shown when they change, so that changes stand out.
    static let columns: [Column<DemoScene>] = [
        Column("account") { Cell($0.account) },
        Column("at") { Cell($0.at) },
        Column("event") { Cell($0.event) },
        Column("answer") { Cell($0.answer) },
        Column("tier") { $0.isChanged ? Cell($0.user?.subscriptionTier) : .none },
        Column("units_left") { $0.isChanged ? Cell($0.user?.computeUnitsRemaining) : .none },
        Column("reset_date") { $0.isChanged ? Cell($0.user?.computeUnitsResetDate) : .none },
    ]
}

/// A clock that stands still until it is set.
final class DemoClock: Sendable {
    private let moment = Mutex(Date())

    var now: Date {
        get { moment.withLock { $0 } }
        set { moment.withLock { $0 = newValue } }
    }
}

extension HTTPClient.Answer {
    /// The service's word, or why there is none.
    fileprivate var word: String {
        switch self {
        case .failed(let why): why
        case .status(let status, let body): ReplayReport.Line(status: status, body: body).outcome
        }
    }
}
