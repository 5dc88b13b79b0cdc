import Billing
import Foundation
import Postgres

extension PostgresTransaction {
    /// Any number that no other program uses for its advisory locks.
    private static let settingsLock = 0x5E1E_C7AE

    func settings(locked: Bool) async throws -> StoredSettings? {
        if locked { _ = try await connection.query("select pg_advisory_xact_lock(\(Self.settingsLock))") }
        return try await connection.query(
            """
            select revision, mode, store_id, match_by_email, upgrade_units, downgrade_units, refund_units, rules,
                changed_at, changed_by
            from billing_settings order by revision desc limit 1
            """
        ).first.map { row in
            let (revision, mode, store, matches, upgrades, downgrades, refunds, rules, at, host) = try row.decode(
                Int.self, Acceptance.Mode.self, String?.self, Bool.self, UpgradeUnits.self, DowngradeUnits.self,
                RefundUnits.self, Int.self, Date.self, String.self)
            return StoredSettings(
                revision: revision,
                policy: BillingPolicy(
                    acceptance: Acceptance(storeID: store, mode: mode), matchByEmail: matches, upgradeUnits: upgrades,
                    downgradeUnits: downgrades, refundUnits: refunds),
                rules: rules, changedAt: at, changedBy: host)
        }
    }

    func insert(_ settings: StoredSettings) async throws {
        let policy = settings.policy
        _ = try await connection.query(
            """
            insert into billing_settings (
                revision, mode, store_id, match_by_email, upgrade_units, downgrade_units, refund_units, rules,
                changed_at, changed_by
            )
            values (
                \(settings.revision), \(policy.acceptance.mode), \(policy.acceptance.storeID), \(policy.matchByEmail),
                \(policy.upgradeUnits), \(policy.downgradeUnits), \(policy.refundUnits), \(settings.rules),
                \(settings.changedAt), \(settings.changedBy)
            )
            """)
    }
}
