import Foundation

/// The clock over many accounts whose month has ended, beside one SQL transaction that writes the same rows; and what
/// webhooks feel of it.
struct ClockPoint {
    let stage: Stage
    private let limit = 240.0

    func measure() throws {
        let wanted = stage.bench.scaled(1_000_000, atLeast: 1000)
        stage.bench.note("\(wanted) accounts that are due")
        let due = try stage.populated("due")
        defer { due.drop() }
        try due.run(file: "due.sql", ["account": Stage.accounts])
        try due.run(file: "multiply.sql", ["copies": wanted])
        try due.run("vacuum analyze")

        let ticking = try stage.server.create("ticking", from: due.name)
        defer { ticking.drop() }
        try tick(ticking, due)
        try deliveries(due)
    }

    private static let count = "select count(*) from users where billing_due_at <= now()"

    private func tick(_ database: Database, _ due: Database) throws {
        let (table, server) = (stage.bench.table, stage.server)
        let accounts = try database.count(Self.count)
        let before = try database.rows()
        try server.settle()
        let load = try run([], database, accounts: accounts) { try database.count(Self.count) }
        let rows = try database.rows().merging(before) { $0 - $1 }
        func each(_ rows: Int) -> Int { Int((Double(rows) / Double(load.count)).rounded()) }
        let buckets = rows["compute_unit_buckets"] ?? Rows()
        let variables = [
            "account": each(rows["users"]?.changed ?? 0), "bucket": each(buckets.inserted),
            "bucket_change": each(buckets.changed), "ledger": each(rows["compute_unit_ledger"]?.inserted ?? 0),
        ]
        let text = variables.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")

        let other = try server.create("one_transaction", from: due.name)
        defer { other.drop() }
        try server.settle()
        let (start, cpu) = (Clock.now, Usage.cpu(of: server.postmaster))
        try other.run(file: "clock.sql", variables)
        var sql = Load(count: accounts, seconds: Clock.now - start, p50: .nan, p99: .nan)
        sql.databaseCPU = (Usage.cpu(of: server.postmaster) - cpu) * 1e6 / Double(accounts)
        let left = try other.count(Self.count)
        guard left == 0 else { throw Failure("the SQL transaction leaves \(left) accounts due") }
        table.add(
            "tick, \(accounts) accounts due", load, beside: "one SQL transaction", sql,
            remarks: (load.count < accounts ? "ended after \(Int(limit)) s, \(load.count) were done; " : "")
                + "rows an account: \(text)")
        table.add("one SQL transaction, the same rows", sql.rateText, load: sql)
        guard load.seconds < 60, load.count == accounts else {
            return table.notes.append("The clock's second month was left out: the first took \(Int(load.seconds)) s.")
        }
        let next = Date.now.addingTimeInterval(32 * 86_400).formatted(.iso8601)
        let second = try run(["--now", next], database, accounts: accounts) { 0 }
        table.add("tick, the month after", second, beside: "one SQL transaction", sql)
    }

    /// - Parameter left: accounts that are still due.
    private func run(
        _ arguments: [String], _ database: Database, accounts: Int, left: () throws -> Int
    ) throws -> Load {
        let bench = stage.bench
        let (start, cpu, own) = (Clock.now, Usage.cpu(of: stage.server.postmaster), Usage.ofEndedChildren)
        let errors = bench.place("errors")
        defer { unlink(errors) }
        let child = try Child(
            [Service.program(bench), "tick"] + arguments, environment: Service.settings(url: database.url),
            folder: bench.folder, errors: errors)
        let hasEnded = child.wait(seconds: limit)
        guard !hasEnded || child.hasSucceeded else {
            throw Failure("tick failed: \((try? String(contentsOfFile: errors, encoding: .utf8)) ?? "")")
        }
        let seconds = Clock.now - start
        let count = accounts - (try left())
        guard count > 0 else { throw Failure("tick did nothing") }
        return Load(
            count: count, seconds: seconds, p50: .nan, p99: .nan,
            serviceCPU: (Usage.ofEndedChildren - own) * 1e6 / Double(count),
            databaseCPU: (Usage.cpu(of: stage.server.postmaster) - cpu) * 1e6 / Double(count))
    }

    /// Webhooks at a fixed rate, without and with a clock that has much to do.
    private func deliveries(_ due: Database) throws {
        let quiet = try stage.populated("quiet")
        defer { quiet.drop() }
        let (still, _) = try offered(quiet)
        let (busy, left) = try offered(due)
        stage.bench.table.add(
            "webhooks' p99 while the clock runs", busy.p99.short + " ms", peer: "at rest: \(still.p99.short) ms",
            ratio: busy.p99 / still.p99, load: busy,
            remarks: "16 connections that pause 100 ms: \(busy.rateText), at rest \(still.rateText); the clock "
                + (left > 0 ? "still had \(left) accounts to do at the end" : "was done before the end"))
        stage.bench.table.add("webhooks at that rate, at rest", still.rateText, load: still)
    }

    private func offered(_ database: Database) throws -> (Load, due: Int) {
        try stage.withService(database.url, connections: 16, atMost: 10_000) { service, deliveries in
            let load = try stage.post(deliveries, to: service, connections: 16, pause: 100) {
                try database.count("select count(*) from webhook_events")
            }
            return (load, try database.count(Self.count))
        }
    }
}
