import Accounts
import ArgumentParser
import ServiceSettings
import Storage

struct Rebuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Computes all accounts afresh from the stored events, and corrects what differs.",
        discussion: "With --check it only compares, and exits with 1 if anything differs.")

    @Flag(help: "Only compare.")
    var check = false
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let report = try await withStore(use: .decide) { store, settings in
            try await Accounts.Rebuild(store, policy: settings.policy).run(check: check)
        }
        try output.print {
            $0.list(
                "differences",
                [
                    Column("subject") { Cell($0.subject.rawValue) },
                    Column("id") { Cell($0.id) },
                    Column("detail") { Cell($0.detail) },
                ], report.differences)
            $0.value("events", Cell(report.events))
            $0.value("accounts", Cell(report.accounts))
            $0.note("\(report.events) events and \(report.accounts) accounts \(check ? "compared" : "computed")")
        }
        if check && !report.differences.isEmpty { throw ExitCode.failure }
    }
}
