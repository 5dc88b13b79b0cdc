import Foundation

/// Databases and measurements that several points use, made when the first of them asks.
final class Stage {
    /// Accounts that are there before anything is posted.
    static let accounts = 10_000

    let bench: Bench
    let server: Server
    private var templates: Set<String> = []
    private var runs: [Int: WebhookRun] = [:]

    init(bench: Bench, server: Server) {
        self.bench = bench
        self.server = server
    }

    var wrk: Wrk { Wrk(bench: bench, server: server) }

    /// How long a rate is measured.
    var seconds: Double { bench.scale < 0.1 ? 2 : 12 }

    /// A new database with the schema and the settings in force, as the service makes it.
    func empty(_ name: String) throws -> Database {
        try template("template_empty", from: "template0") { database in
            try Service(bench: bench, url: database.url).stop()
        }
        return try server.create(name, from: "template_empty")
    }

    /// The same with accounts that the clock has looked at.
    func populated(_ name: String) throws -> Database {
        if !templates.contains("template_accounts") {
            let database = try empty("template_accounts")
            try database.run(file: "accounts.sql", ["accounts": Self.accounts])
            try Service.command(["tick"], bench: bench, url: database.url, seconds: 300)
            try database.run("vacuum analyze")
            templates.insert("template_accounts")
        }
        return try server.create(name, from: "template_accounts")
    }

    private func template(_ name: String, from other: String, _ fill: (Database) throws -> Void) throws {
        guard !templates.contains(name) else { return }
        try fill(try server.create(name, from: other))
        templates.insert(name)
    }

    /// Webhooks over so many connections on a database of their own, which stays; measured once.
    func webhooks(_ connections: Int) throws -> WebhookRun {
        if let run = runs[connections] { return run }
        let run = try WebhookRun(stage: self, connections: connections)
        runs[connections] = run
        return run
    }

    /// Lends a service on a database, with `count` events for so many connections.
    func withService<Result>(
        _ url: String, connections: Int, atMost count: Int, first: Int = 1, accounts: Int = Stage.accounts,
        _ body: (Service, Deliveries) throws -> Result
    ) throws -> Result {
        let deliveries = try Deliveries(
            bench: bench, connections: connections, atMost: count, first: first, accounts: accounts)
        defer { deliveries.remove() }
        let service = try Service(bench: bench, url: url)
        defer { service.stop() }
        try server.settle()
        return try body(service, deliveries)
    }

    /// Posts, and sees to it that what was sent is what is stored.
    func post(
        _ deliveries: Deliveries, to service: Service, connections: Int, pause: Int = 0, seconds: Double? = nil,
        stored: () throws -> Int
    ) throws -> Load {
        let before = try stored()
        let load = try wrk.post(
            deliveries, to: service, connections: connections, seconds: seconds ?? self.seconds, pause: pause)
        let new = try stored() - before
        guard new == load.count else { throw Failure("\(load.count) events were sent, and \(new) are stored") }
        return load
    }
}

/// Whole lives posted over a number of connections, and what they left in the database.
struct WebhookRun {
    let load: Load
    let database: Database
    let rows: [String: Rows]
    let subscriptions: Int
    /// What became of the events; and what they were, if the last cycle was not ended.
    let remarks: String
    /// What promtool says about the metrics afterwards.
    let metrics: String
    /// The same bodies again.
    let again: Load

    init(stage: Stage, connections: Int) throws {
        let database = try stage.populated("webhooks_\(connections)")
        let before = try database.rows()
        let count = [1: 6000, 16: 30_000][connections] ?? 60_000
        func stored() throws -> Int { try database.count("select count(*) from webhook_events") }
        let cycle: Int
        (load, again, metrics, cycle) = try stage.withService(
            database.url, connections: connections, atMost: stage.bench.scaled(count, atLeast: 100)
        ) { service, deliveries in
            let load = try stage.post(deliveries, to: service, connections: connections, stored: stored)
            let metrics = try PromTool.check(service, bench: stage.bench)
            let again = try stage.wrk.post(
                deliveries, to: service, connections: connections, seconds: stage.seconds / 2,
                count: load.count)
            guard try stored() == load.count else { throw Failure("duplicates were stored") }
            return (load, again, metrics, deliveries.cycle)
        }
        self.database = database
        rows = try database.rows().merging(before) { $0 - $1 }
        subscriptions = try database.count("select count(*) from user_subscriptions")
        let outcomes = try database.run(
            """
            select string_agg(outcome || ' ' || n, ', ' order by n desc)
            from (select outcome, count(*) as n from webhook_events group by outcome) as o
            """)
        let cut = "; too slow for a whole cycle of \(cycle): there are more purchases than in the mix"
        remarks =
            "\(load.count) events of \(subscriptions) subscriptions, all 200 and stored: \(outcomes)"
            + (load.count % cycle == 0 ? "" : cut)
    }
}

enum PromTool {
    /// - Returns: “accepted”, or the complaint.
    static func check(_ service: Service, bench: Bench) throws -> String {
        guard let reply = HTTP.get("/metrics", port: service.adminPort), reply.status == 200 else {
            throw Failure("there are no metrics")
        }
        let (input, output) = (bench.place("metrics"), bench.place("promtool"))
        defer { for file in [input, output] { unlink(file) } }
        try Data(reply.body).write(to: URL(fileURLWithPath: input))
        let child = try Child(
            ["promtool", "check", "metrics"], folder: bench.folder, input: input, output: output, errors: output)
        guard child.wait(seconds: 30) else { throw Failure("promtool took too long") }
        let said = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        if child.hasSucceeded, said.isEmpty { return "accepted" }
        return said.split(separator: "\n").joined(separator: "; ")
    }
}
