import Billing
import Foundation
import Logging
import Storage
import Synchronization

/// Says when the settings that decide are not the ones that this instance was started with: those of the instance that
/// started last hold for all (R17).
final class SettingsWatch: Sendable {
    private let own: BillingPolicy
    private let logger: Logger
    /// The last revision that was spoken of.
    private let seen = Mutex(0)

    init(own: BillingPolicy, logger: Logger) {
        self.own = own
        self.logger = logger
    }

    /// At the start: this instance's are the database's now.
    ///
    /// - Parameter before: what held before; nil: nothing, or the same.
    func adopted(instead before: StoredSettings?) {
        guard let before else { return }
        log("the settings that decide have changed: all accounts are computed again", before, .notice)
    }

    /// While it runs: another instance may have started with others.
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
