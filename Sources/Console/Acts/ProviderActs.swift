import Accounts
import Billing
import Foundation
import Storage

extension Console {
    private var provider: ConsoleSurroundings.Provider {
        get throws {
            guard let provider = surroundings.provider else {
                throw ConsoleMistake("Without LEMON_SQUEEZY_API_KEY nothing can be asked at Lemon Squeezy.")
            }
            return provider
        }
    }

    func confirmFetch(_ values: FormValues) async throws -> Confirmation {
        _ = try provider
        let subscription = try required("subscription", in: values, "Name the subscription.")
        let last = try await store.primary.lastAct(subscription: subscription)
        return Confirmation(
            act: "fetch", title: "Fetch subscription \(subscription)", command: "selextract-billing reconcile",
            question: """
                <p>Subscription <b>\(subscription)</b> and its latest invoices are read at Lemon Squeezy, in 2 calls. What is
                new there is stored as an event, and decided.</p>
                """,
            values: [("subscription", subscription)], button: "Fetch now", back: Link("subscriptions", subscription),
            form: form("fetch", about: subscription, after: last))
    }

    func fetch(_ values: FormValues, _ actor: Operator) async throws -> Page {
        let provider = try provider
        let subscription = try required("subscription", in: values, "Name the subscription.")
        try await store.recordFetch(of: subscription, by: actor)
        let report: Observations.Report
        do {
            report = try await provider.fetch(subscription)
        } catch let error as ConsoleProviderFailure {
            throw ConsoleMistake("Lemon Squeezy could not be asked: \(error.text).")
        }
        return done(
            "Subscription \(subscription) was fetched",
            "\(count(report.seen, "object")) \(report.seen == 1 ? "was" : "were") read, \(count(report.stored)) told something new.",
            command: "selextract-billing reconcile", section: "accounts",
            links: [("Subscription \(subscription)", Link("subscriptions", subscription))])
    }

    private func isDryRun(_ values: FormValues) -> Bool { values["dry-run"] == "yes" }

    func confirmReconcile(_ values: FormValues) async throws -> Confirmation {
        _ = try provider
        let isDryRun = isDryRun(values)
        let last = try await store.primary.reconcileRuns(limit: 1, before: nil).first
        let before: HTML =
            last.map { "The last run began \(time($0.startedAt))." } ?? "There has been no run yet."
        let what: HTML =
            isDryRun
            ? "Nothing is stored: the accounts that would change are listed."
            : "What is new there is stored as events, and decided."
        return Confirmation(
            act: "reconcile", title: isDryRun ? "Dry run" : "Fetch what was lost",
            command: "selextract-billing reconcile\(isDryRun ? " --dry-run" : "")",
            question: """
                <p>All subscriptions, and invoices and orders from the day on, are read at Lemon Squeezy, page by page; it
                goes on in the background. \(what) \(before)</p>
                """,
            values: isDryRun ? [("dry-run", "yes")] : [],
            fields: """
                <label>Invoices and orders since, a day in UTC; empty: all<input type="date" name="since"></label>
                """,
            button: isDryRun ? "Begin the dry run" : "Begin", back: Link("reconcile"),
            form: form("reconcile", about: isDryRun ? "dry" : "all", after: last?.id))
    }

    func reconcile(_ values: FormValues, _ actor: Operator) async throws -> Page {
        let provider = try provider
        var since: Date?
        if let text = values["since"] {
            guard let day = try? Date(text + "T00:00:00Z", strategy: .iso8601) else {
                throw ConsoleMistake("A day is written as 2026-12-31.")
            }
            since = day
        }
        let isDryRun = isDryRun(values)
        let run = try await store.beginReconcile(dryRun: isDryRun, since: since, by: actor)
        provider.reconcile(run, isDryRun, since)
        return done(
            isDryRun ? "The dry run has begun" : "The run has begun", "Its page tells how far it is.",
            command: "selextract-billing reconcile\(isDryRun ? " --dry-run" : "")", section: "reconcile",
            links: [("The run", Link("reconcile", run.text)), ("All runs", Link("reconcile"))])
    }
}

/// Why Lemon Squeezy could not be asked, in a sentence without its full stop.
public struct ConsoleProviderFailure: Error, Sendable, Hashable {
    public var text: String

    public init(_ text: String) { self.text = text }
}
