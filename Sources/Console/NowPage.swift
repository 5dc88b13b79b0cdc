import Billing
import Databases
import Foundation
import Storage

extension Console {
    /// So many events of each outcome, and renewals, are counted: a page counts no further.
    static let bound = 1000
    /// So many of the newest events are looked at for what came hour by hour.
    private static let activityLength = 10_000

    /// Each part is read by itself, so that one that fails leaves the others.
    func nowPage() async -> Page {
        let tiles = await part { try await self.tiles() }
        let activity = await part { try await self.activity() }
        let latest = await part {
            eventTable(try await pages.lists.eventRecords(EventFilter(), limit: 8, before: nil).rows)
        }
        return Page(
            title: "Now", section: "", command: "selextract-billing stats", isLive: true,
            content: """
                \(tiles)\(activity)<h2>The latest events</h2>\(latest)
                <p class="pages"><a href="\(Link("events"))">All events</a></p>
                """)
    }

    private func tiles() async throws -> HTML {
        let waiting = try await pages.lists.waiting(limit: Self.bound)
        let pulse = try await pages.lists.pulse()
        var tiles: [HTML] = Outcome.waiting.map { outcome in
            let events = waiting.events(outcome)
            return tile(
                outcome.rawValue, count(events, bound: Self.bound),
                waiting.oldest(outcome).map { "oldest \(relative($0, now: pulse.now))" } ?? "nothing waits",
                Link("waiting"), events == 0 ? "" : outcome == .failed ? "bad" : "warn")
        }
        tiles.append(
            tile(
                "last event", pulse.lastEventAt.map { relative($0, now: pulse.now) } ?? "none yet",
                pulse.lastEventAt.map(utc) ?? "nothing has come", Link("events")))
        let lag = pulse.dueSince.map { pulse.now.timeIntervalSince($0) } ?? 0
        tiles.append(
            tile(
                "clock behind", duration(lag), lag > 90 ? "accounts wait for it" : "every account is up to date",
                Link("health"), lag > 90 ? "bad" : ""))
        let overdue = try await pages.lists.overdueRenewals(
            at: pulse.now, grace: policy.renewalOverdueAfter, limit: Self.bound + 1
        ).count
        tiles.append(
            tile(
                "overdue renewals", count(overdue, bound: Self.bound),
                "not paid for \(duration(policy.renewalOverdueAfter)) and more", Link("waiting"),
                overdue == 0 ? "" : "warn"))
        let run = try await pages.lists.reconcileRuns(limit: 1, before: nil).first
        tiles.append(
            tile(
                "last reconcile", run.map { relative($0.startedAt, now: pulse.now) } ?? "never",
                run.map { $0.failure != nil ? "it failed" : "\(count($0.stored)) new of \(count($0.seen))" }
                    ?? (surroundings.provider == nil ? "needs an API key" : "none was made"),
                Link("reconcile"), run?.failure == nil ? "" : "bad"))
        if let report = await surroundings.setup() {
            tiles.append(
                tile(
                    "doctor found", report.findings.isEmpty ? "nothing" : count(report.findings.count),
                    "looked \(relative(report.at, now: pulse.now))", Link("health"),
                    report.findings.isEmpty ? "" : "warn"))
        }
        return "<ul class=\"tiles\">\(tiles)</ul>"
    }

    func tile(_ name: String, _ number: String, _ words: String, _ link: Link, _ style: String = "") -> HTML {
        """
        <li class="\(style)"><a href="\(link)"><small>\(name)</small><b>\(number)</b><small>\(words)</small></a></li>
        """
    }

    // MARK: Charts

    /// The outcomes in the colours of their places.
    private static let colours: [(name: String, outcomes: [Outcome])] = [
        ("applied", [.applied]), ("unchanged or ignored", [.unchanged, .ignored]),
        ("waiting", [.parked, .quarantined]), ("failed or rejected", [.failed, .rejected]),
    ]

    private func activity() async throws -> HTML {
        let now = PageTime.now
        let first = Date(timeIntervalSince1970: (now.timeIntervalSince1970 / 3600).rounded(.down) * 3600 - 23 * 3600)
        let activity = try await pages.lists.activity(since: first, limit: Self.activityLength)
        let hours = (0..<24).map { hour in
            let begin = first.addingTimeInterval(Double(hour) * 3600)
            let found = activity.hours.filter { $0.begin == begin }
            return (
                begin,
                Self.colours.map { colour in
                    found.reduce(0) { $0 + (colour.outcomes.contains($1.outcome) ? $1.events : 0) }
                }
            )
        }
        let chart = BarChart(
            name: "Events an hour by outcome, the last 24 hours",
            bars: hours.map { begin, parts in
                BarChart.Bar(title: "\(utc(begin)): \(count(parts.reduce(0, +), "event"))", parts: parts)
            }, axis: [utc(first), "now"])
        let rows: [HTML] = hours.reversed().filter { $0.1.contains { $0 > 0 } }.map { begin, parts in
            let cells: [HTML] = parts.map { "<td class=\"n\">\(count($0))</td>" }
            return "<tr><td>\(utc(begin))</td>\(cells)</tr>"
        }
        let cut: HTML =
            activity.isCut ? "<p class=\"soft\">Of the newest \(count(Self.activityLength)) events.</p>" : ""
        let previous: HTML =
            activity.previousSecretAt.map {
                note(
                    """
                    The previous secret still signs: \(time($0)). <code>webhook rotate --finish</code> has to wait.
                    """, .warn)
            } ?? ""
        return """
            \(previous)<div class="two"><section><h2>24 hours by outcome</h2>\(chart.html)
            \(key(Self.colours.enumerated().map { ($0, $1.name) }))\(cut)
            <details><summary>As a table</summary>\(table(
                "Events an hour", ["Hour"] + Self.colours.map { .number($0.name) }, rows, empty: "Nothing came."))</details>
            </section><section><h2>Time to 200</h2>\(answerTimes())</section></div>
            """
    }

    /// Of this process, since its start.
    private func answerTimes() -> HTML {
        let times = surroundings.answerTimes()
        let total = times.reduce(0) { $0 + $1.deliveries }
        guard total > 0 else { return "<p class=\"soft\">No delivery has been answered since the start.</p>" }
        func name(_ seconds: Double?) -> String {
            guard let seconds else { return "more" }
            if seconds < 1 { return "\((seconds * 1000).formatted(.number.precision(.fractionLength(0...1)))) ms" }
            return "\(seconds.formatted(.number.precision(.fractionLength(0...1)))) s"
        }
        let chart = BarChart(
            name: "Deliveries by the time to their answer",
            bars: times.map {
                BarChart.Bar(title: "up to \(name($0.seconds)): \(count($0.deliveries))", parts: [$0.deliveries])
            },
            axis: [name(times.first?.seconds ?? nil), name(times[times.count / 2].seconds), "more"])
        var sum = 0
        let rows: [HTML] = times.compactMap { seconds, deliveries in
            sum += deliveries
            guard deliveries > 0 else { return nil }
            return """
                <tr><td>\(name(seconds))</td><td class="n">\(count(deliveries))</td>
                <td class="n">\(sum * 100 / total) %</td></tr>
                """
        }
        return """
            \(chart.html)<p class="soft">Deliveries of this process since its start: \(count(total)).</p>
            <details><summary>As a table</summary>\(table(
                "Time to 200", ["Up to", .number("Deliveries"), .number("So far")], rows, empty: ""))</details>
            """
    }
}
