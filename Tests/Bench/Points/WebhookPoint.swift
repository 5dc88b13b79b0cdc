import Foundation

/// Webhooks of whole lives over 1 to 256 connections, beside pgbench that writes the same rows, and beside pgbench on
/// bare tables; the same bodies again; what promtool says about the metrics.
struct WebhookPoint {
    let stage: Stage

    func measure() throws {
        let (table, bench) = (stage.bench.table, stage.bench)
        let counts = [1, 16, 64, 256]
        let runs = try counts.map { connections in
            bench.note("webhooks over \(connections) connections")
            return try stage.webhooks(connections)
        }
        let rows = RowsOfEvent(runs[2])
        let clients = [1, 16, 64]
        let same = try clients.map { try sameRows(runs[2], rows, clients: $0) }
        let bare = try clients.map { try bareRows(runs[2], clients: $0) }

        for (index, connections) in counts.enumerated() {
            let run = runs[index]
            let peer = min(index, clients.count - 1)
            table.add(
                "webhooks, \(connections) connections", run.load, beside: "pgbench -c\(clients[peer]), same rows",
                same[peer],
                remarks: run.remarks)
            table.add(
                "the same", run.load, beside: "pgbench -c\(clients[peer]), bare tables", bare[peer])
        }
        for (index, count) in clients.enumerated() {
            table.add("pgbench -c\(count), same rows", same[index].rateText, load: same[index])
            table.add("pgbench -c\(count), bare tables", bare[index].rateText, load: bare[index])
        }
        for (connections, run) in zip(counts, runs) {
            table.add("duplicates, \(connections) connections", run.again, beside: "first time", run.load)
        }
        table.add("metrics after 64 connections", runs[2].metrics, peer: "promtool check metrics")
        table.notes.append("Webhooks: whole lives, the same mix for each number of connections: \(Deliveries.mix).")
        table.notes.append("Rows an event, counted after 64 connections: \(rows.text). \(RowsOfEvent.explanation)")
    }

    private func sameRows(_ run: WebhookRun, _ rows: RowsOfEvent, clients: Int) throws -> Load {
        let database = try stage.populated("same_rows")
        defer { database.drop() }
        let samples = stage.bench.place("samples")
        defer { unlink(samples) }
        try run.database.run(file: "samples-out.sql").write(toFile: samples, atomically: false, encoding: .utf8)
        try database.run(file: "samples-in.sql", input: samples)
        var variables = rows.variables
        variables["samples"] = try database.count("select count(*) from bench_samples")
        variables["clients"] = clients
        // As many events an account as the service had.
        variables["accounts"] = max(clients, min(run.subscriptions, Stage.accounts - 2 * clients))
        return try PgBench(database: database).run("same-rows.sql", clients: clients, seconds: seconds, variables)
    }

    private func bareRows(_ run: WebhookRun, clients: Int) throws -> Load {
        let database = try stage.server.create("bare_tables")
        defer { database.drop() }
        let samples = stage.bench.place("samples")
        defer { unlink(samples) }
        try run.database.run(
            "copy (select convert_from(body, 'UTF8') from webhook_events order by md5(id::text) limit 64) "
                + "to stdout (format csv)"
        ).write(toFile: samples, atomically: false, encoding: .utf8)
        try database.run(file: "bare-tables.sql", input: samples)
        let count = try database.count("select count(*) from bench_samples")
        return try PgBench(database: database).run(
            "bare-rows.sql", clients: clients, seconds: seconds, ["samples": count])
    }

    private var seconds: Int { stage.bench.scale < 0.1 ? 2 : 8 }
}

/// How many rows of each table the service has written for an event.
struct RowsOfEvent {
    static let explanation =
        "pgbench writes the same, each event once: the changes of `webhook_events` count the duplicates that followed."

    let variables: [String: Int]
    let text: String

    init(_ run: WebhookRun) {
        let count = Double(run.load.count)
        func rows(_ table: String) -> Rows { run.rows[table] ?? Rows() }
        func thousand(_ rows: Int) -> Int { Int((Double(rows) * 1000 / count).rounded()) }
        let subscriptions = rows("user_subscriptions")
        variables = [
            "subscription": thousand(subscriptions.inserted + subscriptions.changed),
            "bucket": thousand(rows("compute_unit_buckets").inserted),
            "bucket_change": thousand(rows("compute_unit_buckets").changed),
            "ledger": thousand(rows("compute_unit_ledger").inserted), "account": thousand(rows("users").changed),
        ]
        text = run.rows.sorted { $0.key < $1.key }.compactMap { name, rows in
            let parts = [(rows.inserted, "inserted"), (rows.changed, "changed"), (rows.removed, "removed")]
                .filter { $0.0 > 0 }.map { String(format: "%.2f ", Double($0.0) / count) + $0.1 }
            return parts.isEmpty ? nil : "`\(name)` " + parts.joined(separator: " and ")
        }.joined(separator: ", ")
    }
}
