import Accounts
import Billing
import Foundation
import Logging
import Storage
import Synchronization

/// What `serve` runs every second (R17): every second the accounts and failed events that are due, so that what another
/// program wrote counts at once; once a minute everything that `tick` does.
final class ServingClock: Sendable {
    private let store: Store
    private let policy: BillingPolicy
    private let watch: SettingsWatch
    private let logger: Logger
    private let wholeRunAt = Mutex<ContinuousClock.Instant?>(nil)

    init(store: Store, policy: BillingPolicy, watch: SettingsWatch, logger: Logger) {
        self.store = store
        self.policy = policy
        self.watch = watch
        self.logger = logger
    }

    func run() async throws {
        let start = ContinuousClock.now
        let isWhole = wholeRunAt.withLock { $0.map { start - $0 >= .seconds(60) } ?? true }
        if isWhole { watch.look(at: try await store.settings()) }
        let report = try await Accounts.Tick(store, policy: policy).run(onlyDue: !isWhole)
        // Only after a run without error, so that one that fails is repeated after a second.
        if isWhole { wholeRunAt.withLock { $0 = start } }
        log(report, isWhole: isWhole)
    }

    private func log(_ report: Accounts.Tick.Report, isWhole: Bool) {
        // An account that cannot be computed fails every second; it is logged once a minute.
        if report.failures > 0, isWhole {
            logger.error(
                "the clock could not bring everything up to date",
                metadata: [
                    "failures": "\(report.failures)",
                    // Enough to look for, however many there are.
                    "faults": .array(report.faults.prefix(10).map { "\($0.id): \($0.why)" }),
                ])
        }
        if report.adopted > 0 {
            logger.warning(
                "another program has put in a subscription of the provider's; only one may handle the webhooks",
                metadata: ["subscriptions": "\(report.adopted)"])
        }
        let work = [
            report.accounts, report.released, report.retried, report.accepted, report.reread, report.adopted,
            report.putRight,
        ]
        guard work.contains(where: { $0 > 0 }) else { return }
        logger.info(
            "the clock ran",
            metadata: [
                "accounts": "\(report.accounts)", "changed": "\(report.changed)", "released": "\(report.released)",
                "retried": "\(report.retried)", "accepted": "\(report.accepted)", "reread": "\(report.reread)",
                "adopted": "\(report.adopted)", "put_right": "\(report.putRight)",
            ])
    }
}

/// Logs when the policy in force is not the one that this instance was started with: that of the instance that started last
/// holds for all (R17).
final class SettingsWatch: Sendable {
    private let own: BillingPolicy
    private let logger: Logger
    /// The last revision that was logged.
    private let seen = Mutex(0)

    init(own: BillingPolicy, logger: Logger) {
        self.own = own
        self.logger = logger
    }

    /// At the start, when this instance's policy has become the database's.
    ///
    /// - Parameter before: what held before; nil: nothing, or the same.
    func adopted(instead before: StoredSettings?) {
        guard let before else { return }
        log("the settings that decide have changed: all accounts are computed again", before, .notice)
    }

    /// While it runs: another instance may have started with another policy.
    func look(at stored: StoredSettings?) {
        guard let stored, !stored.policy.decides(like: own) else { return }
        let isNew = seen.withLock { seen in
            defer { seen = stored.revision }
            return seen != stored.revision
        }
        if isNew { log("another instance has started with other settings, and those hold", stored, .warning) }
    }

    private func log(_ message: Logger.Message, _ stored: StoredSettings, _ level: Logger.Level) {
        var metadata: Logger.Metadata = [
            "host": "\(stored.changedBy)", "changed_at": "\(stored.changedAt.formatted(.iso8601))",
        ]
        for (name, own, other) in own.differences(from: stored.policy) {
            metadata[name] = "own \(own), \(level == .notice ? "before" : "stored") \(other)"
        }
        if stored.rules != BillingPolicy.rulesVersion {
            metadata["rules"] = "own \(BillingPolicy.rulesVersion), stored \(stored.rules)"
        }
        logger.log(level: level, message, metadata: metadata)
    }
}
