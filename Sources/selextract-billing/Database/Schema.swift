import Accounts
import ArgumentParser
import Billing
import Foundation
import SchemaValidation
import ServiceSettings
import Storage

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the schema of the database up to date, one process at a time.")

    @Flag(help: "Only list the migrations.")
    var status = false
    @Flag(help: "Only print the SQL of those that are missing.")
    var sql = false
    @Flag(help: "Take over what another program has made: tables, subscriptions, what accounts have left.")
    var adopt = false
    @Flag(help: "With --adopt: change nothing, but try all of it, and say what would be done.")
    var dryRun = false
    @Flag(help: "With --adopt: change rows that the schema refuses, as --dry-run lists it.")
    var mend = false
    @Flag(help: "With --adopt: grant the plans of rows that name no subscription at Lemon Squeezy.")
    var grants = false
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if !adopt && (dryRun || mend || grants) {
            throw ValidationError("--dry-run, --mend and --grants belong to --adopt.")
        }
        if adopt && (sql || status) { throw ValidationError("--adopt cannot be had with --sql or --status.") }
        if sql && (status || output.format == .json) {
            throw ValidationError("--sql prints SQL: it cannot be had with --status or --format json.")
        }
    }

    func run() async throws {
        let settings = try Settings.load()
        if adopt { return try await takeOver(settings) }
        try await withStore(settings, use: status || sql ? .inspect : .create) { store, _ in
            if sql {
                let database = settings.databaseConfiguration(logger: settings.logger())
                for missing in try await store.pendingMigrations() {
                    let script = database.script(ofMigration: missing.version) ?? ""
                    try FileHandle.standardOutput.write(contentsOf: Data(script.utf8))
                }
            } else if status {
                let migrations = try await store.migrations()
                try output.print { $0.list("migrations", Self.columns, migrations) }
                // Says what is wrong with the list, if `migrate` would refuse it.
                _ = try await store.pendingMigrations()
            } else {
                let applied = Set(try await store.migrate().map(\.version))
                try await store.usageDatabase?.migrate()
                let done = try await store.migrations().filter { applied.contains($0.version) }
                try output.print {
                    if done.isEmpty && output.format == .text {
                        $0.note("The schema is up to date.")
                    } else {
                        $0.list("migrations", Self.columns, done)
                    }
                }
            }
        }
    }

    private func takeOver(_ settings: Settings) async throws {
        let (policy, grants) = (settings.policy, grants)
        let (adoption, report) = try await withStore(settings, use: dryRun ? .inspect : .create) { store, _ in
            try await store.adoptDatabase(mends: mend, dryRun: dryRun) { transaction in
                try await Fold(transaction, policy: policy).adoptAll(grants: grants, by: .local)
            }
        }
        let printing = AdoptionPrinting(adoption: adoption, report: report, mends: mend, dryRun: dryRun)
        try output.print { printing.write(to: &$0, isText: output.format == .text) }
        if report == nil { throw ExitCode.failure }
    }

    private static let columns: [Column<MigrationStatus>] = [
        Column("version") { Cell($0.version) },
        Column("name") { Cell($0.name) },
        Column("applied_at") { Cell($0.appliedAt) },
    ]
}

struct ValidateSchema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares the database with what this program expects of it; changes nothing.",
        discussion: "Exits with 1 if anything differs. What other programs have added and does no harm is only noted.")

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let report = try await withStore(use: .inspect) { store, _ in try await store.validateSchema() }
        try output.print {
            switch output.format {
            case .text:
                for difference in report.differences { $0.note(difference.sentence) }
                for note in report.notes { $0.note("note: \(note)") }
                if report.differences.isEmpty { $0.note("The schema is as expected.") }
            case .json:
                $0.list("differences", Self.columns, report.differences)
                $0.value("notes", .list(report.notes))
            }
        }
        if !report.differences.isEmpty { throw ExitCode.failure }
    }

    private static let columns: [Column<SchemaReport.Difference>] = [
        Column("kind") { Cell($0.kind) },
        Column("table") { Cell($0.table) },
        Column("name") { Cell($0.name) },
        Column("problem") { Cell($0.problem.rawValue) },
        Column("sentence") { Cell($0.sentence) },
    ]
}

struct ResetDatabase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "For development: drops all tables with all that is in them, and creates them anew.",
        discussion: """
            Refused without --yes, if ENVIRONMENT is production, and if an event of live mode is stored: then nothing is \
            dropped.
            """)

    @Flag(help: "Really do it.")
    var yes = false

    mutating func validate() throws {
        guard yes else { throw ValidationError("This drops everything that is stored: say --yes.") }
    }

    func run() async throws {
        let settings = try Settings.load()
        if settings.isProduction { throw Failure("ENVIRONMENT is production: nothing is dropped") }
        try await withStore(settings, use: .create) { store, _ in try await store.reset() }
        print("The database is empty.")
    }
}
