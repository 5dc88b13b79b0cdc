import Accounts
import ArgumentParser
import Foundation
import ServiceSettings
import Storage

struct Tick: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the clock once: months that begin, access that ends, what is parked or had failed.",
        discussion: """
            `serve` does this by itself. --now shows what another moment brings; without --dry-run it writes \
            what it finds, so it is refused in production.
            """)

    @Option(help: ArgumentHelp("The moment to look at, ISO-8601. (default: the database's now)", valueName: "time"))
    var now: Date?
    @Flag(help: "Change nothing; of each kind of work only the first 100 are looked at.")
    var dryRun = false
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let settings = try Settings.load()
        if now != nil, !dryRun, settings.isProduction {
            throw Failure("--now is for trying out: in production it needs --dry-run")
        }
        let report = try await withStore(settings, now: now, use: .decide) { store, settings in
            let report = try await Accounts.Tick(store, policy: settings.policy).run(dryRun: dryRun)
            if !dryRun, let usageDatabase = store.usageDatabase {
                try await usageDatabase.check()
                try await store.moveUsage()
            }
            return report
        }
        try output.print {
            $0.record("tick", Self.columns, report)
            if !report.faults.isEmpty { $0.list("faults", Self.faults, report.faults) }
            if report.isElsewhere { $0.note("Another process runs the clock.") }
        }
        if report.failures > 0 { throw ExitCode.failure }
    }

    private static let faults: [Column<Accounts.Tick.Fault>] = [
        Column("id") { Cell($0.id) }, Column("why") { Cell($0.why) },
    ]

    private static let columns: [Column<Accounts.Tick.Report>] = [
        Column("accounts") { Cell($0.accounts) },
        Column("changed") { Cell($0.changed) },
        Column("released") { Cell($0.released) },
        Column("accepted") { Cell($0.accepted) },
        Column("reread") { Cell($0.reread) },
        Column("adopted") { Cell($0.adopted) },
        Column("put_right") { Cell($0.putRight) },
        Column("retried") { Cell($0.retried) },
        Column("failures") { Cell($0.failures) },
        Column("is_elsewhere") { Cell($0.isElsewhere) },
    ]
}
