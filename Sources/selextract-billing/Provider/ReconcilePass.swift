import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezyAPI
import Selextract
import ServiceSettings
import Storage

/// A comparison with what Lemon Squeezy's API shows, which stores what is new, or, as a dry run, nothing.
struct ReconcilePass: Sendable {
    let store: Store
    let settings: Settings
    let api: LemonSqueezyAPI
    var isDryRun = false
    /// Invoices and orders created before are left out; nil: none is.
    var since: Date?
    /// Seconds; one that was interrupted for longer is not gone on with; nil: none is.
    var longestInterruption: TimeInterval? = Self.longestInterruption

    /// Seconds after which an interrupted run is not gone on with: what it had read is too old.
    static let longestInterruption: TimeInterval = 3600

    struct Result: Sendable {
        var report = Observations.Report()
        /// Of a dry run.
        var differences: [Observations.Difference] = []
        var calls = 0
        /// When the run began that was gone on with.
        var resumed: Date?
    }

    /// - Throws: `Failure` for a key of the other mode; `APIError`; what the store throws.
    func run() async throws -> Result {
        let mode = try await checkedMode()
        let observations = Observations(store, policy: settings.policy)
        let callsBefore = await api.calls
        var result = Result()
        if isDryRun {
            let reading = Reconciliation(api: api, storeID: settings.storeID, since: since)
            var (pages, seen): ([[InboxEvent]], Int) = ([], 0)
            try await reading.run { events in
                seen += events.count
                pages.append(try await observations.news(events))
            }
            (result.report, result.differences) = try await observations.compare(pages)
            result.report.seen = seen
        } else {
            (result.report, result.resumed) = try await takeAll(observations, mode: mode)
        }
        result.calls = await api.calls - callsBefore
        return result
    }

    /// The same, and records it.
    ///
    /// - Parameter operator: who wants it; nil: the service itself.
    func run(by operator: Operator?) async throws -> Result {
        try await run(recordedAs: try await store.beginReconcile(dryRun: isDryRun, since: since, by: `operator`))
    }

    /// The same as a run that was recorded when it was asked for.
    func run(recordedAs id: UUID) async throws -> Result {
        do {
            let result = try await run()
            try await store.endReconcile(
                id, calls: result.calls, seen: result.report.seen, stored: result.report.stored,
                findings: result.findings, failure: nil)
            return result
        } catch {
            // Also of a run that a shutdown cancels.
            let failure = error is CancellationError ? "the service was stopped" : sentence(error)
            try? await Task { [store] in
                try await store.endReconcile(
                    id, calls: 0, seen: 0, stored: 0, findings: nil, failure: failure)
            }.value
            throw error
        }
    }

    /// A key of the other mode would bring what is only quarantined.
    ///
    /// - Returns: the key's mode.
    private func checkedMode() async throws -> String {
        guard let isTest = try await api.isTestMode() else { return "any" }
        let mode = isTest ? "test" : "live"
        if settings.mode != .any, settings.mode.rawValue != mode {
            throw Failure(
                "LEMON_SQUEEZY_API_KEY is for \(mode) mode, but LEMON_SQUEEZY_MODE is \(settings.mode.rawValue)")
        }
        return mode
    }
}

/// What an error of the API's client, of the store or of a command says; of others only their type: they might hold values.
func sentence(_ error: any Error) -> String {
    let own: [String?] = [
        (error as? APIError)?.description, (error as? StoreError)?.description, (error as? Failure)?.description,
    ]
    return own.compactMap(\.self).first ?? "\(type(of: error))"
}

extension ReconcilePass.Result {
    fileprivate var findings: ReconcileFindings {
        ReconcileFindings(
            outcomes: Dictionary(uniqueKeysWithValues: report.outcomes.map { ($0.key.rawValue, $0.value) }),
            waiting: report.waiting.sorted { ($0.key.count, $0.key) < ($1.key.count, $1.key) }
                .map { ReconcileFindings.Waiting(id: $0.key, reason: $0.value) },
            differences: differences.map {
                ReconcileFindings.Difference(
                    account: $0.userID, tierBefore: $0.tierBefore, tierAfter: $0.tierAfter,
                    unitsBefore: $0.unitsBefore, unitsAfter: $0.unitsAfter)
            })
    }
}
