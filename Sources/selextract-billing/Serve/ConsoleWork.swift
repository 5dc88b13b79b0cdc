import Accounts
import ArgumentParser
import Console
import Databases
import Foundation
import LemonSqueezyAPI
import Logging
import ServiceSettings
import Storage
import Synchronization

/// What `serve` does for its console beside all else: it looks at the set-up every ten minutes, and asks Lemon Squeezy's
/// API for what operators want to have fetched.
final class ConsoleWork: Sendable {
    private struct Run: Sendable {
        var id: UUID
        var isDryRun: Bool
        var since: Date?
    }

    private let store: Store
    private let settings: Settings
    /// nil: there is no key.
    private let api: LemonSqueezyAPI?
    private let logger: Logger
    private let found = Mutex<ConsoleSurroundings.SetupReport?>(nil)
    private let (runs, asked) = AsyncStream.makeStream(of: Run.self)

    init(store: Store, settings: Settings, api: LemonSqueezyAPI?, logger: Logger) {
        self.store = store
        self.settings = settings
        self.api = api
        self.logger = logger
    }

    var surroundings: ConsoleSurroundings {
        var surroundings = ConsoleSurroundings()
        surroundings.version = SelextractBilling.configuration.version
        surroundings.settings = settings.shown
        surroundings.setup = { [self] in found.withLock { $0 } }
        guard let api else { return surroundings }
        surroundings.provider = ConsoleSurroundings.Provider { [self] subscription in
            do {
                return try await fetch(subscription, api)
            } catch let error as APIError {
                throw ConsoleProviderFailure(sentence(error))
            }
        } reconcile: { [asked] id, isDryRun, since in
            asked.yield(Run(id: id, isDryRun: isDryRun, since: since))
        }
        return surroundings
    }

    /// Until it is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.lookAgainAndAgain() }
            if let api { group.addTask { await self.reconcile(api) } }
        }
    }

    private func fetch(_ subscription: String, _ api: LemonSqueezyAPI) async throws -> Observations.Report {
        let observations = Observations(store, policy: settings.policy)
        var report = Observations.Report()
        try await Reconciliation(api: api, storeID: settings.storeID, since: nil).read(subscription: subscription) {
            report.add(try await observations.take($0))
        }
        return report
    }

    /// One run after the other.
    private func reconcile(_ api: LemonSqueezyAPI) async {
        for await run in runs {
            let pass = ReconcilePass(
                store: store, settings: settings, api: api, isDryRun: run.isDryRun, since: run.since)
            do {
                let result = try await pass.run(recordedAs: run.id)
                logger.notice(
                    "compared with Lemon Squeezy for an operator",
                    metadata: [
                        "dry_run": "\(run.isDryRun)", "seen": "\(result.report.seen)", "new": "\(result.report.stored)",
                    ])
            } catch {
                if Task.isCancelled { return }
                logger.warning(
                    "Lemon Squeezy could not be compared for an operator", metadata: ["error": "\(sentence(error))"])
            }
        }
    }

    private func lookAgainAndAgain() async {
        let check = SetupCheck(settings: settings)
        while !Task.isCancelled {
            do {
                let own = try await check.own(store)
                var comparison = ProviderCheck.Comparison()
                if let api { comparison = try await check.compare(own, with: api) }
                let report = ConsoleSurroundings.SetupReport(
                    at: Date(),
                    findings: (own.findings + comparison.findings).map {
                        .init(code: $0.code.rawValue, sentence: $0.sentence, remedy: $0.remedy)
                    },
                    offers: comparison.offers)
                found.withLock { $0 = report }
            } catch {
                if Task.isCancelled { return }
                logger.warning("the set-up could not be looked at", metadata: ["error": "\(sentence(error))"])
            }
            try? await Task.sleep(for: .seconds(600))
        }
    }
}
