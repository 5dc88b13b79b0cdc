import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezyAPI
import SchemaValidation
import Selextract
import ServiceSettings
import Storage

/// Looks at the set-up, here and at Lemon Squeezy, and changes nothing.
struct SetupCheck: Sendable {
    let settings: Settings

    /// What the database tells, and the comparison with Lemon Squeezy needs.
    struct Own: Sendable {
        var findings: [Finding] = []
        var lastDelivery: Date?
        var plans: [SubscriptionPlan] = []
        var variants: [String: String] = [:]
    }

    func own(_ store: Store) async throws -> Own {
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

    /// - Throws: `CancellationError`.
    func compare(_ own: Own, with api: LemonSqueezyAPI) async throws -> ProviderCheck.Comparison {
        try await ProviderCheck(
            api: api, settings: settings, now: Date(), lastDelivery: own.lastDelivery, plans: own.plans,
            variants: own.variants
        ).comparison()
    }
}
