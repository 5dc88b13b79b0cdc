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

    func run() async throws {
        let settings = try Settings.load()
        let result = try await withAPI(settings) { api in
            try await withStore(settings, use: .decide) { store, settings in
                let pass = ReconcilePass(
                    store: store, settings: settings, api: api, isDryRun: dryRun, since: since,
                    longestInterruption: fromStart ? nil : ReconcilePass.longestInterruption)
                // A dry run writes nothing, not even that it was made.
                return dryRun ? try await pass.run() : try await pass.run(by: .local)
            }
        }
        try print(result)
        if dryRun, result.report.stored > 0 { throw ExitCode.failure }
        if result.report.outcomes[.failed] != nil { throw ExitCode.failure }
    }

    private func print(_ result: ReconcilePass.Result) throws {
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
