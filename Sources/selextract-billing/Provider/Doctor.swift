import Accounts
import ArgumentParser
import Billing
import Databases
import Foundation
import LemonSqueezyAPI
import SchemaValidation
import Selextract
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

    /// What the database tells that the comparison with Lemon Squeezy needs.
    private struct Own: Sendable {
        var findings: [Finding] = []
        var lastDelivery: Date?
        var plans: [SubscriptionPlan] = []
        var variants: [String: String] = [:]
        var isUsable = false
    }

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
            let own = try await own(settings)
            findings += own.findings
            if settings.apiKey != nil {
                asked = true
                findings += try await withAPI(settings) { api in
                    try await ProviderCheck(
                        api: api, settings: settings, now: Date(), lastDelivery: own.lastDelivery, plans: own.plans,
                        variants: own.variants
                    ).findings()
                }
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

    private func own(_ settings: Settings) async throws -> Own {
        do {
            return try await withStore(settings, use: .inspect) { store, settings in
                var own = Own()
                let here = Date()
                let ahead = try await store.transaction { try await $0.now() }.timeIntervalSince(here)
                if abs(ahead) > 60 {
                    own.findings.append(ProviderCheck.skew(.clockDiffersFromDatabase, "the database's", ahead))
                }
                guard try await store.pendingMigrations().isEmpty else {
                    own.findings.append(
                        Finding(.schemaOutdated, "the schema of the database is not up to date", remedy: "`migrate`"))
                    return own
                }
                let differences = try await store.validateSchema().differences
                if !differences.isEmpty {
                    own.findings.append(
                        Finding(
                            .schemaDiffers,
                            "the database differs from what is expected in \(differences.count) places",
                            remedy: "see `validate-schema`, which names them"))
                    return own
                }
                own.isUsable = true
                own.plans = try await store.primary.plans()
                own.variants = try await store.primary.variants()
                own.lastDelivery = try await store.lastDelivery()
                for variant in try await store.unmappedVariants() {
                    own.findings.append(
                        Finding(
                            .variantUnmapped, "events of variant \(variant) wait: it means no plan",
                            remedy: "`plans map PLAN \(variant)`"))
                }
                for doubling in try await store.doublings() {
                    let (entry, at) = (doubling.record.entry, doubling.record.createdAt.formatted(.iso8601))
                    own.findings.append(
                        Finding(
                            .unitsGivenTwice,
                            "another program gave \(doubling.email) \(entry.units) units at \(at), right beside an event that "
                                + "gives them: only one program may handle the webhooks",
                            remedy: "if so, `users adjust \(doubling.email) -\(entry.units) --reason …`"))
                }
                let stored = try await store.settings()
                for difference in stored.map({ settings.policy.differences(from: $0.policy) }) ?? [] {
                    own.findings.append(
                        Finding(
                            .settingNotInForce,
                            "\(difference.name) is \(difference.own) here, but the service was started with \(difference.other)",
                            remedy: "start `serve` with the settings that are meant"))
                }
                return own
            }
        } catch let error as StoreError {
            return Own(findings: [
                Finding(.databaseUnusable, error.description, remedy: "look at DATABASE_URL, then `migrate`")
            ])
        }
    }
}
