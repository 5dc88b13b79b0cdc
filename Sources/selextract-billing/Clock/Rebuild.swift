import Accounts
import ArgumentParser
import ServiceSettings
import Storage

struct Rebuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Computes all accounts afresh from the stored events, and corrects what differs.",
        discussion:
            "With --check it only compares, and exits with 1 if anything differs. What cannot be computed is named; then it exits with 1, too."
    )

    @Flag(help: "Only compare.")
    var check = false
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let report = try await withStore(use: .decide) { store, settings in
            try await Accounts.Rebuild(store, policy: settings.policy).run(check: check)
        }
        try output.print {
            $0.list("differences", Self.columns, report.differences)
            if !report.failures.isEmpty { $0.list("failures", Self.columns, report.failures) }
            $0.value("events", Cell(report.events))
            $0.value("accounts", Cell(report.accounts))
            $0.note("\(report.events) events and \(report.accounts) accounts \(check ? "compared" : "computed")")
        }
        if check && !report.differences.isEmpty || !report.failures.isEmpty { throw ExitCode.failure }
    }

    private static let columns: [Column<Accounts.Rebuild.Difference>] = [
        Column("subject") { Cell($0.subject.rawValue) }, Column("id") { Cell($0.id) },
        Column("detail") { Cell($0.detail) },
    ]
}
