import ArgumentParser
import Databases
import ServiceSettings
import Storage

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks the set-up, here and at Lemon Squeezy, and says what mends it.",
        discussion: """
            With LEMON_SQUEEZY_API_KEY it also compares mode, store, webhook, variants and prices at Lemon Squeezy. It \
            changes nothing. The exit code is 1 if there is a finding.
            """)

    @OptionGroup var output: OutputOptions

    func run() async throws {
        var findings: [Finding] = []
        var asked = false
        do {
            let settings = try Settings.load()
            if settings.webhookSecret == nil {
                findings.append(
                    Finding(
                        .secretMissing, "LEMON_SQUEEZY_WEBHOOK_SECRET is not set: `serve` does not start",
                        remedy: "set it to the webhook's signing secret, or `webhook create --secret-file PATH`"))
            }
            let check = SetupCheck(settings: settings)
            let own = try await own(check)
            findings += own.findings
            if settings.apiKey != nil {
                asked = true
                findings += try await withAPI(settings) { try await check.compare(own, with: $0).findings }
            }
        } catch let error as SettingsError {
            findings.append(
                Finding(
                    .settingWrong, error.description, remedy: "correct \(error.setting); `serve --help` names all"))
        }
        try output.print {
            $0.list("findings", Self.columns, findings)
            $0.value("asked_lemon_squeezy", Cell(asked))
            for finding in findings {
                $0.note("\(finding.code.rawValue): \(finding.sentence).\n    To mend it: \(finding.remedy).")
            }
            if !asked { $0.note("Nothing was asked at Lemon Squeezy: that needs LEMON_SQUEEZY_API_KEY.") }
        }
        if !findings.isEmpty { throw ExitCode.failure }
    }

    private static let columns: [Column<Finding>] = [
        Column("code") { Cell($0.code.rawValue) }, Column("sentence", inTable: false) { Cell($0.sentence) },
        Column("remedy", inTable: false) { Cell($0.remedy) },
    ]

    private func own(_ check: SetupCheck) async throws -> SetupCheck.Own {
        do {
            return try await withStore(check.settings, use: .inspect) { store, _ in try await check.own(store) }
        } catch let error as StoreError {
            return SetupCheck.Own(findings: [
                Finding(.databaseUnusable, error.description, remedy: "look at DATABASE_URL, then `migrate`")
            ])
        }
    }
}
