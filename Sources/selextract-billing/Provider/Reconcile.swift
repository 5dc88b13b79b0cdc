import Accounts
import ArgumentParser
import Billing
import Databases
import Foundation
import LemonSqueezyAPI
import Selextract
import ServiceSettings
import Storage

struct Reconcile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fetches from Lemon Squeezy's API what deliveries did not bring.",
        discussion: """
            Reads all subscriptions, and invoices and orders down to --since. What tells something new is stored as an \
            event of its own and decided by the same rules; what is known is not stored again. A run that was interrupted \
            less than an hour ago is gone on with where it stood, and what has come in since is read as well. With \
            --dry-run nothing is written, the accounts that would change are listed, and the exit code is 1 if \
            something would be stored.
            """)

    @Flag(help: "Change nothing; list the accounts that would change.")
    var dryRun = false
    @Flag(help: "Read everything, also what a run that was interrupted had read.")
    var fromStart = false
    @Option(
        help: ArgumentHelp(
            "Leave out invoices and orders created before, ISO-8601; refunded invoices are read all the same. (default: none is left out)",
            valueName: "time"))
    var since: Date?
    @OptionGroup var output: OutputOptions

    private struct Result: Sendable {
        var report = Observations.Report()
        var differences: [Observations.Difference] = []
        var calls = 0
        /// When the run began that was gone on with.
        var resumed: Date?
    }

    /// Seconds after which an interrupted run is not gone on with: what it had read is too old.
    static let longestInterruption: TimeInterval = 3600

    func run() async throws {
        let settings = try Settings.load()
        let result = try await withAPI(settings) { api in
            let mode = try await Self.checkedMode(settings, api)
            return try await withStore(settings, use: .decide) { store, settings in
                try await reconcile(store, settings, api, mode)
            }
        }
        try print(result)
        if dryRun, result.report.stored > 0 { throw ExitCode.failure }
        if result.report.outcomes[.failed] != nil { throw ExitCode.failure }
    }

    private func reconcile(
        _ store: Store, _ settings: Settings, _ api: LemonSqueezyAPI, _ mode: String
    ) async throws -> Result {
        let observations = Observations(store, policy: settings.policy)
        var result = Result()
        if dryRun {
            let reading = Reconciliation(api: api, storeID: settings.storeID, since: since)
            var (pages, seen): ([[InboxEvent]], Int) = ([], 0)
            try await reading.run { events in
                seen += events.count
                pages.append(try await observations.news(events))
            }
            (result.report, result.differences) = try await observations.compare(pages)
            result.report.seen = seen
        } else {
            let pass = WholePass(
                store: store, settings: settings, api: api, observations: observations, since: since, mode: mode)
            (result.report, result.resumed) = try await pass.run(
                resuming: fromStart ? nil : Self.longestInterruption)
        }
        result.calls = await api.calls
        return result
    }

    /// A key of the other mode would bring what is only quarantined.
    ///
    /// - Returns: the key's mode.
    static func checkedMode(_ settings: Settings, _ api: LemonSqueezyAPI) async throws -> String {
        guard let isTest = try await api.isTestMode() else { return "any" }
        let mode = isTest ? "test" : "live"
        if settings.mode != .any, settings.mode.rawValue != mode {
            throw Failure(
                "LEMON_SQUEEZY_API_KEY is for \(mode) mode, but LEMON_SQUEEZY_MODE is \(settings.mode.rawValue)")
        }
        return mode
    }

    private func print(_ result: Result) throws {
        let report = result.report
        try output.print {
            if dryRun { $0.list("differences", Self.differences, result.differences) }
            let waiting = report.waiting.sorted { ($0.key.count, $0.key) < ($1.key.count, $1.key) }
            if !waiting.isEmpty { $0.list("waiting", Self.waiting, waiting) }
            $0.value("dry_run", Cell(dryRun))
            $0.value("resumed", Cell(result.resumed))
            $0.value("calls", Cell(result.calls))
            $0.value("seen", Cell(report.seen))
            $0.value("stored", Cell(dryRun ? 0 : report.stored))
            $0.value("news", Cell(report.stored))
            for outcome in Outcome.allCases { $0.value(outcome.rawValue, Cell(report.outcomes[outcome] ?? 0)) }
            if let began = result.resumed {
                $0.note(
                    "Went on where a run that began at \(began.formatted(.iso8601)) was interrupted; --from-start reads everything."
                )
            }
            $0.note(
                "\(report.seen) objects in \(result.calls) calls: \(report.stored) told something new and \(dryRun ? "would be" : "were") stored"
            )
        }
    }

    private static let differences: [Column<Observations.Difference>] = [
        Column("user_id", inTable: false) { Cell($0.userID) },
        Column("email") { Cell($0.email) },
        Column("tier_before") { Cell($0.tierBefore) }, Column("tier_after") { Cell($0.tierAfter) },
        Column("units_before") { Cell($0.unitsBefore) }, Column("units_after") { Cell($0.unitsAfter) },
        Column("reset_before", inTable: false) { Cell($0.resetBefore) }, Column("reset_after") { Cell($0.resetAfter) },
    ]

    private static let waiting: [Column<(key: String, value: String)>] = [
        Column("id") { Cell($0.key) }, Column("reason") { Cell($0.value) },
    ]
}
