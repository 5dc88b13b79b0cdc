import Billing
import Databases
import Foundation
import Storage

extension Console {
    func healthPage() async -> Page {
        let ready = await part { try await self.readiness() }
        let findings = await findings()
        let clock = await part { try await self.clock() }
        let schema = await part { try await self.schema() }
        let settings: [HTML] = surroundings.settings.map { name, value in
            "<tr><td><code>\(name)</code></td><td>\(value)</td></tr>"
        }
        return Page(
            title: "Health", section: "health", command: "selextract-billing doctor", isLive: true,
            content: """
                <div class="two"><section><h2>Readiness</h2>\(ready)</section><section><h2>Clock</h2>\(clock)</section></div>
                <h2>Connections</h2>\(pools())
                <h2>What doctor found</h2>\(findings)
                <h2>Schema</h2>\(schema)
                <h2>Settings</h2>\(table("Settings", ["Setting", "Value"], settings, empty: "None are shown."))
                """)
    }

    private func readiness() async throws -> HTML {
        let version: HTML? = surroundings.version.isEmpty ? nil : "\(surroundings.version)"
        guard let ask = surroundings.readiness else { return terms(["Program": version]) }
        let health = try await ask()
        let latency = (health.latency / .milliseconds(1)).formatted(.number.precision(.fractionLength(1)))
        return terms([
            "Database": "<b class=\"yes\">takes what a delivery writes</b>", "In": "\(latency) ms",
            "Kind": "\(store.pool == nil ? "SQLite" : "PostgreSQL")", "Program": version,
            "Running": "since \(time(surroundings.startedAt))",
        ])
    }

    private func clock() async throws -> HTML {
        let pulse = try await pages.lists.pulse()
        let ahead = pulse.now.timeIntervalSince(PageTime.now)
        let lag = pulse.dueSince.map { pulse.now.timeIntervalSince($0) }
        return terms([
            "Database’s clock": "\(utc(pulse.now))",
            "Difference": abs(ahead) < 2 ? "none" : "\(duration(abs(ahead))) \(ahead > 0 ? "ahead" : "behind")",
            "Accounts due": lag.map { "since \(duration($0))" } ?? "none: every account is up to date",
        ])
    }

    private func pools() -> HTML {
        let pools = [("deliveries and acts", store.pool), ("these pages", pages.pool)]
        let rows: [HTML] = pools.compactMap { name, pool in
            pool.map {
                """
                <tr><td>\(name)</td><td class="n">\(count($0.size))</td><td class="n">\(count($0.leased))</td>
                <td class="n">\(count($0.idle))</td><td class="n">\(count($0.waiting))</td></tr>
                """
            }
        }
        return table(
            "Connections", ["For", .number("Open"), .number("In use"), .number("Idle"), .number("Waiting")], rows,
            empty: "SQLite needs none.")
    }

    private func schema() async throws -> HTML {
        let rows: [HTML] = try await pages.migrations().reversed().map { migration in
            """
            <tr><td>\(migration.version) \(migration.name)</td>
            <td>\(migration.appliedAt.map { time($0) } ?? "<b class=\"no\">missing</b>")</td></tr>
            """
        }
        return table("Migrations", ["Migration", "Applied"], rows, empty: "None.")
    }

    /// What `doctor` says of the set-up.
    func findings() async -> HTML {
        guard let report = await surroundings.setup() else {
            return "<p class=\"soft\">It has not looked yet.</p>"
        }
        let notes: [HTML] = report.findings.map {
            note("\($0.sentence). <small>To mend it: \($0.remedy).</small>", .warn)
        }
        let none: HTML = notes.isEmpty ? "<p>Nothing is wrong with the set-up.</p>" : ""
        return "\(notes)\(none)<p class=\"soft\">Looked \(time(report.at)).</p>"
    }
}
