import Foundation

/// Webhooks on a database that holds a million events already, with statistics and as if it had never been analysed,
/// beside an empty one.
struct LargePoint {
    let stage: Stage

    func measure() throws {
        let (bench, table) = (stage.bench, stage.bench.table)
        let empty = try stage.webhooks(64)
        let database = try stage.server.create("large", from: empty.database.name)
        defer { database.drop() }
        // Of the shorter lives, so that a million events are of about 100,000 subscriptions.
        try database.run(
            """
            create table bench_model as
            select user_id from webhook_events where user_id is not null group by user_id having count(*) <= 16
            """)
        let model = try database.count("select count(*) from webhook_events natural join bench_model")
        let copies = max(1, bench.scaled(1_000_000) / max(1, model))
        let start = Clock.now
        try database.run(file: "multiply.sql", ["copies": copies])
        try database.run(file: "forget.sql")
        let events = try database.count("select count(*) from webhook_events")
        let subscriptions = try database.count("select count(*) from user_subscriptions")
        bench.note("\(events) events were made in \(Int(Clock.now - start)) s")

        let what = "webhooks, 64 connections, \(events) events of \(subscriptions) subscriptions stored"
        let never = Result { try post(database, isLast: false) }
        try database.run(file: "remember.sql")
        let (load, memory) = try post(database, isLast: true)
        table.add(
            what, load, beside: "empty database", empty.load, remarks: "rows multiplied from those of real deliveries")
        switch never {
        case .success((let load, _)):
            table.add(
                "the same, never analysed", load, beside: "empty database", empty.load,
                remarks: "\(load.count) events")
        case .failure(let error): table.failures.append("never analysed: \(error)")
        }
        table.add(
            "memory over \(events) events", memory.now.short + " MB",
            remarks:
                "after \(load.count) deliveries and reads over it; SQL stored the others: so many do not go through "
                + "in the time; the most was \(memory.peak.short) MB")
    }

    private func post(
        _ database: Database, isLast: Bool
    ) throws -> (Load, memory: (now: Double, peak: Double)) {
        // Accounts of which nothing is stored; each half is for one of the two.
        let first = isLast ? 7001 : 4001
        return try stage.withService(
            database.url, connections: 64, atMost: stage.bench.scaled(60_000, atLeast: 100), first: first,
            accounts: first + 2999
        ) { service, deliveries in
            let load = try stage.post(deliveries, to: service, connections: 64) {
                try database.count("select count(*) from webhook_events")
            }
            if isLast { try Reads(stage: stage, database: database).read(service) }
            return (load, Usage.memory(of: service.process.pid))
        }
    }
}
