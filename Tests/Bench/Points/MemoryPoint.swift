import LemonSqueezy

/// The service's memory after many events have gone through it, and reads of what they left.
struct MemoryPoint {
    let stage: Stage
    private let limit = 120.0

    func measure() throws {
        let database = try stage.populated("memory")
        defer { database.drop() }
        let wanted = stage.bench.scaled(100_000, atLeast: 1000)
        try stage.withService(database.url, connections: 64, atMost: wanted) { service, deliveries in
            let rest = Usage.memory(of: service.process.pid).now
            let load = try stage.post(deliveries, to: service, connections: 64, seconds: limit) {
                try database.count("select count(*) from webhook_events")
            }
            try Reads(stage: stage, database: database).read(service)
            let memory = Usage.memory(of: service.process.pid)
            let isAll = load.count == deliveries.count
            let why = isAll ? "and reads" : "all that went through in \(Int(limit)) s, and reads"
            stage.bench.table.add(
                "memory after \(load.count) events", memory.now.short + " MB", peer: "at the start: \(rest.short) MB",
                ratio: memory.now / rest, load: load, remarks: "\(why); the most was \(memory.peak.short) MB")
        }
    }
}

/// What owners and web pages ask for.
struct Reads {
    let stage: Stage
    let database: Database

    func read(_ service: Service) throws {
        let seconds = stage.bench.scale < 0.1 ? 1 : 3
        let pid = service.process.pid
        _ = try stage.wrk.get("/v1/plans", port: service.port, pid: pid, seconds: seconds)
        let key = try Service.command(
            ["keys", "create", "account-1@example.com", "--name", "bench", "--format", "json"], bench: stage.bench,
            url: database.url,
            seconds: 30)
        guard case .string(let text)? = try JSONValue(parsing: Array(key.utf8))["text"] else {
            throw Failure("no key was made")
        }
        _ = try stage.wrk.get(
            "/v1/account", port: service.port, pid: pid, seconds: seconds,
            headers: ["Authorization: Bearer \(text)"])
    }
}
