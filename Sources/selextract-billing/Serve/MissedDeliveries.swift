import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezyAPI
import Logging
import ServiceSettings
import Storage
import Synchronization

/// What `serve` asks Lemon Squeezy's API for, if it has a key: after each start, since nobody knows how long the service was
/// away, and after each outage of the database and each time in which deliveries were refused, what came meanwhile; then
/// the subscriptions whose renewal is overdue (R17).
///
/// Beside the clock, which waits for nobody.
final class MissedDeliveries: Sendable {
    private let store: Store
    private let settings: Settings
    private let api: LemonSqueezyAPI
    private let observations: Observations
    private let logger: Logger
    /// Something may be to be asked for.
    private let (occasions, occasion) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let gap = Mutex(Gap())

    /// A time in which deliveries may have been lost.
    private struct Gap {
        /// What had to be waited for; nil: all that was missed then has been fetched.
        var reason: Reason? = .start
        /// It has ended.
        var isOver = true
        /// Counts up with whatever may have lost one: what was lost during a pass is not fetched by it.
        var losses = 0
    }

    enum Reason: String {
        case start = "the start"
        case database = "an outage of the database"
        case refusal = "deliveries that could not be stored"
    }

    /// Seconds without a page after which a pass that another process had begun is not gone on with. Until then Lemon
    /// Squeezy repeats what it could not deliver.
    private static let longestInterruption: TimeInterval = 150

    init(store: Store, settings: Settings, api: LemonSqueezyAPI, logger: Logger) {
        self.store = store
        self.settings = settings
        self.logger = logger
        self.api = api
        observations = Observations(store, policy: settings.policy)
    }

    /// Deliveries were answered 503, or would have been: they are repeated for a while only.
    func noteLoss(_ reason: Reason) {
        gap.withLock { $0 = Gap(reason: $0.reason ?? reason, isOver: false, losses: $0.losses + 1) }
    }

    /// The clock found the database working.
    func noteRecovery() {
        let isNews = gap.withLock { gap in
            defer { gap.isOver = true }
            return !gap.isOver
        }
        if isNews { occasion.yield() }
    }

    /// Until it is cancelled.
    func run() async {
        await withTaskGroup { group in
            group.addTask {
                while !Task.isCancelled {
                    self.occasion.yield()
                    try? await Task.sleep(for: .seconds(60))
                }
            }
            await ask()
            group.cancelAll()
        }
    }

    private func ask() async {
        var asked: [String: ContinuousClock.Instant] = [:]
        // A key that is refused will hardly be accepted a minute later, and a database that comes and goes is no reason to
        // ask for everything each time.
        var nextPass = ContinuousClock.now
        var hasFailed = false
        for await _ in occasions {
            do {
                let before = gap.withLock(\.self)
                if let reason = before.reason {
                    guard before.isOver, ContinuousClock.now >= nextPass else { continue }
                    if reason != .start { nextPass = .now + .seconds(600) }
                    try await catchUp(after: reason, hasFailed: hasFailed)
                    // What was lost while it was under way is another gap.
                    gap.withLock { if $0.losses == before.losses { $0.reason = nil } }
                }
                hasFailed = false
                try await askForOverdue(&asked)
            } catch {
                if Task.isCancelled { break }
                // The clock tells when the database is back; meanwhile deliveries may be lost.
                hasFailed = !(error is StoreError)
                nextPass = .now + .seconds(hasFailed ? 600 : 60)
                logger.warning(
                    "Lemon Squeezy could not be asked for what was missed", metadata: ["error": "\(sentence(error))"])
            }
        }
    }
    /// One whole pass: the API has no “updated since”. Invoices and orders are read down to three days before the last
    /// delivery.
    private func catchUp(after reason: Reason, hasFailed: Bool) async throws {
        let last = try await store.lastDelivery()
        let pass = ReconcilePass(
            store: store, settings: settings, api: api, since: last.map { $0.addingTimeInterval(-3 * 86_400) },
            // If only its own calls failed, deliveries came all the while.
            longestInterruption: hasFailed ? ReconcilePass.longestInterruption : Self.longestInterruption)
        let result = try await pass.run(by: nil)
        log("compared with Lemon Squeezy after \(reason.rawValue)", result.report, resumed: result.resumed)
    }

    /// A few at a time, each once an hour: an answer that tells nothing new will not soon be another.
    private func askForOverdue(_ asked: inout [String: ContinuousClock.Instant]) async throws {
        let now = ContinuousClock.now
        asked = asked.filter { now - $0.value < .seconds(3600) }
        let moment = try await store.transaction { try await $0.now() }
        let overdue = try await store.primary.overdueRenewals(
            at: moment, grace: settings.policy.renewalOverdueAfter, limit: 1000)
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

    private func log(
        _ message: Logger.Message, _ report: Observations.Report, subscription: String? = nil, resumed: Date? = nil
    ) {
        var metadata: Logger.Metadata = ["seen": "\(report.seen)", "stored": "\(report.stored)"]
        if let subscription { metadata["subscription"] = "\(subscription)" }
        if let resumed { metadata["began"] = "\(resumed.formatted(.iso8601))" }
        logger.log(level: report.stored > 0 ? .notice : .info, message, metadata: metadata)
    }
}
