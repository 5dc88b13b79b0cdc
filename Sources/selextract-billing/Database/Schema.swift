import ArgumentParser
import ServiceSettings
import Foundation
import Storage

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the schema of the database up to date, one process at a time.")

    @Flag(help: "Only list the migrations.")
    var status = false
    @Flag(help: "Only print the SQL of those that are missing.")
    var sql = false
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if sql && (status || output.format == .json) {
            throw ValidationError("--sql prints SQL: it cannot be had with --status or --format json.")
        }
    }

    func run() async throws {
        let settings = try Settings.load()
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

    private static let columns: [Column<MigrationStatus>] = [
        Column("version") { Cell($0.version) },
        Column("name") { Cell($0.name) },
        Column("applied_at") { Cell($0.appliedAt) },
    ]
}
