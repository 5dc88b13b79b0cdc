import ArgumentParser
import SchemaValidation
import Storage

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
