import Foundation

/// Runs wrk, and reads what its scripts print.
struct Wrk {
    let bench: Bench
    let server: Server

    /// Posts prepared deliveries to a service, each once. Every one must be answered with 200.
    ///
    /// - Parameters:
    ///   - seconds: after them, the cycle under way is the last; after four times as many, not even that is ended.
    ///   - count: no more than so many of them.
    ///   - pause: milliseconds that a connection waits before each of its requests.
    func post(
        _ deliveries: Deliveries, to service: Service, connections: Int, seconds: Double, count: Int? = nil,
        pause: Int = 0
    ) throws -> Load {
        let most = Int(seconds * 4) + 60
        return try measure(service.process.pid) {
            try run(
                [
                    "-t1", "-c\(connections)", "-d\(most)s", "--timeout", "60s", "-s", bench.file("lua/webhooks.lua"),
                    "http://127.0.0.1:\(service.port)/", "--", deliveries.file, "\(count ?? deliveries.count)",
                    "\(connections)", "\(seconds)", "\(deliveries.cycle)", "\(pause)",
                ], seconds: Double(most) + 30)
        }
    }

    /// Asks for the same again and again.
    func get(
        _ path: String, port: Int, pid: pid_t, connections: Int = 64, seconds: Int, headers: [String] = []
    ) throws -> Load {
        try measure(pid) {
            try run(
                ["-t1", "-c\(connections)", "-d\(seconds)s", "-s", bench.file("lua/report.lua")]
                    + headers.flatMap { ["-H", $0] } + ["http://127.0.0.1:\(port)\(path)"],
                seconds: Double(seconds) + 30)
        }
    }

    private func measure(_ pid: pid_t, _ run: () throws -> Load) throws -> Load {
        let (service, database) = (Usage.cpu(of: pid), Usage.cpu(of: server.postmaster))
        var load = try run()
        load.serviceCPU = (Usage.cpu(of: pid) - service) * 1e6 / Double(load.count)
        load.databaseCPU = (Usage.cpu(of: server.postmaster) - database) * 1e6 / Double(load.count)
        bench.note(
            "\(load.count) requests, \(load.rateText), p50 \(load.p50.short), p99 \(load.p99.short) ms; CPU "
                + "\(load.serviceCPU?.short ?? "") and PostgreSQL's \(load.databaseCPU?.short ?? "") µs each")
        return load
    }

    private func run(_ arguments: [String], seconds: Double) throws -> Load {
        let text = try bench.output(of: ["wrk"] + arguments, seconds: seconds)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("bench ") }) else {
            throw Failure("wrk printed no result: \(text)")
        }
        var values: [String: Double] = [:]
        for word in line.split(separator: " ").dropFirst() {
            let parts = word.split(separator: "=")
            if parts.count == 2 { values[String(parts[0])] = Double(parts[1]) }
        }
        let count = Int(values["requests"] ?? 0)
        let (sent, refused, failed) = (Int(values["sent"] ?? 0), values["refused"] ?? 0, values["failed"] ?? 0)
        guard count > 0, count == sent, refused == 0, failed == 0 else {
            throw Failure(
                "of \(sent) requests \(count) were answered, \(Int(refused)) with another status than 2xx or 3xx, "
                    + "and \(Int(failed)) failed")
        }
        return Load(
            count: count, seconds: values["seconds"] ?? .nan, p50: values["p50"] ?? .nan, p99: values["p99"] ?? .nan)
    }
}
