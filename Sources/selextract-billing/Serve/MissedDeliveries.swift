import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezyAPI
import Logging
import ServiceSettings
import Storage

/// What `serve` asks Lemon Squeezy's API for, if it has a key: after each start, since nobody knows how long the service was
/// away, what came meanwhile; then the subscriptions whose renewal is overdue (R17).
///
/// Beside the clock, which waits for nobody.
struct MissedDeliveries: Sendable {
    private let store: Store
    private let settings: Settings
    private let api: LemonSqueezyAPI
    private let observations: Observations
    private let logger: Logger

    init(store: Store, settings: Settings, key: String, logger: Logger) {
        self.store = store
        self.settings = settings
        self.logger = logger
        api = LemonSqueezyAPI(key: key, base: settings.apiURL)
        observations = Observations(store, policy: settings.policy)
    }

    /// Until it is cancelled.
    func run() async {
        var isCaughtUp = false
        var asked: [String: ContinuousClock.Instant] = [:]
        while !Task.isCancelled {
            do {
                if !isCaughtUp { try await catchUp() }
                isCaughtUp = true
                try await askForOverdue(&asked)
            } catch {
                if Task.isCancelled { break }
                logger.warning(
                    "Lemon Squeezy could not be asked for what was missed", metadata: ["error": "\(sentence(error))"])
            }
            // A key that is refused will hardly be accepted a minute later.
            try? await Task.sleep(for: isCaughtUp ? .seconds(60) : .seconds(600))
        }
        await api.close()
    }

    /// One whole pass: the API has no “updated since”. Invoices and orders are read down to three days before the last
    /// delivery.
    private func catchUp() async throws {
        let last = try await store.lastDelivery()
        let pass = ReconcilePass(
            store: store, settings: settings, api: api, since: last.map { $0.addingTimeInterval(-3 * 86_400) })
        let result = try await pass.run(by: nil)
        log("compared with Lemon Squeezy after the start", result.report)
    }

    /// A few at a time, each once an hour: an answer that tells nothing new will not soon be another.
    private func askForOverdue(_ asked: inout [String: ContinuousClock.Instant]) async throws {
        let now = ContinuousClock.now
        asked = asked.filter { now - $0.value < .seconds(3600) }
        let moment = try await store.transaction { try await $0.now() }
        let overdue = try await store.overdueRenewals(
            before: moment.addingTimeInterval(-settings.policy.renewalOverdueAfter), limit: 1000)
        let reading = Reconciliation(api: api, storeID: settings.storeID, since: nil)
        for id in overdue.filter({ asked[$0] == nil }).prefix(20) {
            asked[id] = now
            do {
                var report = Observations.Report()
                try await reading.read(subscription: id) { report.add(try await observations.take($0)) }
                log("asked Lemon Squeezy for an overdue renewal", report, subscription: id)
            } catch let error as APIError where error.kind == .notFound {
                logger.warning("Lemon Squeezy does not know a subscription", metadata: ["subscription": "\(id)"])
            }
        }
    }

    private func log(_ message: Logger.Message, _ report: Observations.Report, subscription: String? = nil) {
        var metadata: Logger.Metadata = ["seen": "\(report.seen)", "stored": "\(report.stored)"]
        if let subscription { metadata["subscription"] = "\(subscription)" }
        logger.log(level: report.stored > 0 ? .notice : .info, message, metadata: metadata)
    }
}
