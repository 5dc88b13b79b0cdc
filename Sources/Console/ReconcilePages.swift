import Billing
import Databases
import Foundation
import Storage

extension Console {
    func reconcilePage(_ request: ConsoleRequest, _ visitor: Visitor) async throws -> Page {
        let before = try request.query["before"].map(Cursor.init(text:))
        let found = try await pages.lists.reconcileRuns(limit: Self.pageLength + 1, before: before)
        let shown = found.rows.prefix(Self.pageLength)
        let rows: [HTML] = shown.map { run in
            """
            <tr><td><a href="\(Link("reconcile", run.id.text))">\(time(run.startedAt))</a></td>
            <td>\(run.isDryRun ? "dry run" : "applied")</td><td>\(state(run))</td>
            <td class="n w">\(count(run.seen))</td><td class="n">\(count(run.stored))</td>
            <td class="w">\(run.by?.name ?? "the service")</td></tr>
            """
        }
        let acts: HTML =
            if surroundings.provider == nil {
                note("Without <code>LEMON_SQUEEZY_API_KEY</code> nothing can be asked at Lemon Squeezy.")
            } else if visitor.role == .operator {
                """
                <p class="acts"><a class="button" href="\(Link("acts", "reconcile", values: ["dry-run": "yes"]))">Dry run</a>
                <a class="button" href="\(Link("acts", "reconcile"))">Fetch what was lost</a></p>
                """
            } else { "" }
        let older =
            found.entries.count > Self.pageLength
            ? shown.last.map { Link("reconcile", values: ["before": Cursor(at: $0.startedAt, id: $0.id).text]) } : nil
        return Page(
            title: "Reconcile", section: "reconcile", command: "selextract-billing reconcile", isLive: true,
            content: """
                <p class="soft">What Lemon Squeezy’s API shows is compared with what is stored; what is new there becomes an
                event. The service does so by itself after each start.</p>\(acts)
                \(table(
                    "Runs", ["Begun", "Kind", "State", .number("Seen", isWide: true), .number("New"), .wide("By")], rows,
                    empty: "None has been made yet."))\(nextPage("Older runs", older))
                """)
    }

    private func state(_ run: ReconcileRun) -> HTML {
        if run.failure != nil { return "<span class=\"outcome failed\">failed</span>" }
        if run.endedAt != nil { return "<span class=\"outcome applied\">done</span>" }
        return PageTime.now.timeIntervalSince(run.startedAt) > 3600 ? "cut short" : "under way"
    }

    func runPage(_ text: String) async throws -> Page {
        guard let id = UUID(uuidString: text), let run = try await pages.lists.reconcileRun(id) else {
            throw StoreError.notFound("run “\(text)”")
        }
        let differences: [HTML] = (run.findings?.differences ?? []).map { difference in
            """
            <tr><td><a href="\(Link("accounts", difference.account.text))"><code>\(difference.account.text)</code></a></td>
            <td>\(difference.tierBefore) → \(difference.tierAfter)</td>
            <td class="n">\(count(difference.unitsBefore)) → \(count(difference.unitsAfter))</td></tr>
            """
        }
        let waiting: [HTML] = (run.findings?.waiting ?? []).map { waiting in
            """
            <tr><td><a href="\(Link("subscriptions", waiting.id))">\(waiting.id)</a></td><td>\(waiting.reason)</td></tr>
            """
        }
        let outcomes = (run.findings?.outcomes ?? [:]).sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let failure: HTML = run.failure.map { note("It ended early: \($0).", .bad) } ?? ""
        let changes: HTML = """
            <h2>Accounts that would change</h2>\(table(
                "Accounts that would change", ["Account", "Plan", .number("Units")], differences, empty: "None."))
            """
        let would: HTML = run.isDryRun ? "would be stored" : "were stored"
        return Page(
            title: run.isDryRun ? "Dry run" : "Run", mark: "\(state(run))", section: "reconcile",
            command: "selextract-billing reconcile\(run.isDryRun ? " --dry-run" : "")", isLive: run.endedAt == nil,
            content: """
                \(failure)\(terms([
                    "Begun": time(run.startedAt), "Ended": run.endedAt.map { time($0) } ?? "not yet",
                    "By": run.by.map { "\($0.name), from \($0.origin)" } ?? "the service itself",
                    "Invoices since": run.since.map { "\(utc($0))" }, "Calls": "\(count(run.calls))",
                    "Seen": "\(count(run.seen, "object"))", "New": "\(count(run.stored)) \(would)",
                    "Outcomes": outcomes.isEmpty ? nil : "\(outcomes.joined(separator: ", "))",
                ]))
                \(run.isDryRun ? changes : "")
                <h2>What waits of it</h2>\(table("What waits of it", ["Subscription", "Reason"], waiting, empty: "Nothing."))
                """)
    }
}
