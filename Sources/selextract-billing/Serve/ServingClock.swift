import Billing
import Foundation
import Logging
import Storage
import Synchronization

/// What `serve` runs every second (R17): accounts that are due, so that what another program did counts at once; and once a
/// minute all that the passing of time asks for.
final class ServingClock: Sendable {
    private let store: any Store
    private let policy: BillingPolicy
    private let watch: SettingsWatch
    private let logger: Logger
    private let wholeRunAt = Mutex<ContinuousClock.Instant?>(nil)

    init(store: any Store, policy: BillingPolicy, watch: SettingsWatch, logger: Logger) {
        self.store = store
        self.policy = policy
        self.watch = watch
        self.logger = logger
    }

    func run() async throws {
        let start = ContinuousClock.now
        let isWhole = wholeRunAt.withLock { $0.map { start - $0 >= .seconds(60) } ?? true }
        if isWhole { watch.look(at: try await store.settings()) }
        let report = try await Storage.Tick(store, policy: policy).run(onlyAccounts: !isWhole)
        // Only when it has ended well: what failed comes again in a second.
        if isWhole { wholeRunAt.withLock { $0 = start } }
        log(report, isWhole: isWhole)
    }

    private func log(_ report: Storage.Tick.Report, isWhole: Bool) {
        // What is stuck fails every second; once a minute is enough to hear of it.
        if report.failures > 0, isWhole {
            logger.error(
                "the clock could not bring everything up to date", metadata: ["failures": "\(report.failures)"])
        }
        guard report.accounts + report.released + report.retried + report.accepted + report.reread > 0 else { return }
        logger.info(
            "the clock ran",
            metadata: [
                "accounts": "\(report.accounts)", "changed": "\(report.changed)", "released": "\(report.released)",
                "retried": "\(report.retried)", "accepted": "\(report.accepted)", "reread": "\(report.reread)",
            ])
    }
}
