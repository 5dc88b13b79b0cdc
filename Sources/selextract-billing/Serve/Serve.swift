import Accounts
import ArgumentParser
import BillingServer
import Console
import Databases
import Foundation
import LemonSqueezyAPI
import Logging
import ServiceLifecycle
import ServiceSettings
import Storage

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Listens for webhooks. Brings the schema up to date first.",
        discussion: "SETTINGS (environment variables, else the file .env, else the defaults):\n" + settingsHelp
    )

    @Flag(name: .customLong("no-migrate"), help: "Leave the schema as it is; refuse to start if it is not up to date.")
    var noMigrate = false

    func run() async throws {
        let settings = try Settings.load()
        _ = try settings.signingSecrets()
        let logger = settings.logger()
        raiseOpenFileLimit(logger: logger)
        var database = settings.databaseConfiguration(logger: logger)
        database.separatesReads = true
        let store = try database.open()
        var options = ApplicationOptions()
        let secrets = try CurrentSecrets(settings, logger: logger)
        options.signingSecrets = { secrets.now() }
        options.endsOnSignals = true
        // The first run comes at once: the settings may have brought variants that events wait for.
        let watch = SettingsWatch(own: settings.policy, logger: logger)
        let clock = ServingClock(store: store, policy: settings.policy, watch: watch, logger: logger)
        options.tickInterval = .seconds(1)
        options.migratesUsage = !noMigrate
        // One client, so that all that is asked keeps one pace.
        let api = settings.apiKey.map { LemonSqueezyAPI(key: $0, base: settings.apiURL) }
        let missed = api.map {
            MissedDeliveries(store: store, settings: settings, api: $0, logger: logger)
        }
        options.onDeliveryRefused = { missed?.noteLoss(.refusal) }
        options.tick = {
            do {
                try await clock.run()
                missed?.noteRecovery()
            } catch {
                if case .unavailable? = error as? StoreError { missed?.noteLoss(.database) }
                throw error
            }
        }
        let work = settings.opensConsole ? ConsoleWork(store: store, settings: settings, api: api, logger: logger) : nil
        if let work {
            options.consoleSurroundings = work.surroundings
            options.consolePages = try database.openForPages()
        }
        options.aside = {
            await withDiscardingTaskGroup { group in
                if let missed { group.addTask { await missed.run() } }
                if let work { group.addTask { await work.run() } }
                group.addTask { await Self.warnOfDoublings(store, logger) }
            }
            await api?.close()
        }
        let (ports, listening) = AsyncStream.makeStream(of: (Listener, Int).self)
        options.onListening = { listening.yield(($0, $1)) }
        let ticket = settings.opensConsoleByTicket ? ConsoleAccess.random() : nil
        options.consoleTicket = ticket
        options.onReady = {
            var told: [Listener: Int] = [:]
            for await (listener, port) in ports {
                told[listener] = port
                guard let port = told[.public] else { continue }
                if settings.adminPort != nil, told[.admin] == nil { continue }
                return Self.welcome(settings, port: port, adminPort: told[.admin], ticket: ticket)
            }
        }
        options.prepare = { [noMigrate] in
            for migration in try await BillingServer.prepare(store: store, settings: settings, migrate: !noMigrate) {
                logger.info("migration applied", metadata: ["version": "\(migration.version)"])
            }
            try await store.check()
            let host = ProcessInfo.processInfo.hostName
            watch.adopted(instead: try await store.adopt(settings.policy, host: host))
            // Before the first delivery comes: what another program had is what events build upon (R21).
            let adopted = try await store.adoptSubscriptions(policy: settings.policy)
            if adopted > 0 {
                logger.notice(
                    "subscriptions of another program were taken over; only one program may handle the webhooks",
                    metadata: ["subscriptions": "\(adopted)"])
            }
        }
        options.onShutdownOverdue = { _exit(1) }
        // A terminal that is closed is no reason to stop.
        signal(SIGHUP, SIG_IGN)
        do {
            try await checkPorts(settings)
            try await buildApplication(settings: settings, store: store, logger: logger, options: options).run()
        } catch {
            await store.close()
            throw error
        }
    }

    /// Once, beside the service: nothing waits for it.
    private static func warnOfDoublings(_ store: Store, _ logger: Logger) async {
        do {
            let doublings = try await store.doublings()
            if doublings.isEmpty { return }
            logger.warning(
                "another program may have given units that events had given, too; see `doctor`",
                metadata: ["changes": "\(doublings.count)"])
        } catch {
            logger.warning(
                "it could not be looked whether units were given twice", metadata: ["error": "\(sentence(error))"])
        }
    }

    /// Prints what to try next. It is for people, so it is left out where programs read the log.
    ///
    /// - Parameter ticket: opens the console once: it is shown here, and is in no log.
    private static func welcome(_ settings: Settings, port: Int, adminPort: Int?, ticket: String?) {
        guard settings.logFormat == .text else { return }
        let url = settings.publicURL(port: port)
        var text = "Listening on \(url)\n"
        if let adminPort, settings.opensConsole {
            let host = settings.adminHost.contains(":") ? "[\(settings.adminHost)]" : settings.adminHost
            let address = "http://\(host):\(adminPort)/console/"
            text += ticket.map { "Console, opened once by \(address)login?ticket=\($0)\n" } ?? "Console at \(address)\n"
        }
        let example = "fixtures/scenarios/first-purchase"
        if !settings.isProduction && FileManager.default.fileExists(atPath: example) {
            let program = CommandLine.arguments[0]
            text += """

                Try, in another shell in the same folder:

                    curl \(url)/v1/plans
                    \(program) plans map starter 101
                    \(program) replay --create-users --rebase \(example)
                    \(program) users show ada@example.com


                """
        }
        LogWriter.standardError.write(text)
    }

    private static let settingsHelp = Setting.all.map { setting in
        "  \(setting.name) [\(setting.fallback)]\n      \(setting.description)"
    }.joined(separator: "\n")
}

extension Settings {
    /// Where a program on this machine reaches the public port. `port` is the one that listens, should the setting be 0.
    func publicURL(port: Int? = nil) -> String {
        let host =
            switch self.host {
            case "0.0.0.0": "127.0.0.1"
            case "::": "[::1]"
            case let host where host.contains(":"): "[\(host)]"
            default: self.host
            }
        return "http://\(host):\(port ?? self.port)"
    }
}
