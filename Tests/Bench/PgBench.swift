import Foundation

/// Runs pgbench with a script of `Tests/Bench/sql`.
struct PgBench {
    let database: Database

    func run(_ script: String, clients: Int, seconds: Int, _ variables: [String: Int]) throws -> Load {
        let (server, bench) = (database.server, database.server.bench)
        let log = bench.place("pgbench")
        defer { for file in logs(log) { unlink(file) } }
        try server.settle()
        let before = Usage.cpu(of: server.postmaster)
        let text = try bench.output(
            of: [
                server.bin + "/pgbench", "-n", "-M", "prepared", "-c", "\(clients)", "-j", "\(min(2, clients))", "-T",
                "\(seconds)", "-f", bench.file("sql/\(script)"), "-l", "--log-prefix", log,
            ] + variables.flatMap { ["-D", "\($0)=\($1)"] } + [database.url],
            seconds: Double(seconds) + 60)
        let cpu = Usage.cpu(of: server.postmaster) - before
        guard let rate = Self.rate(in: text), text.contains("number of failed transactions: 0 ") else {
            throw Failure("pgbench: \(text)")
        }
        // Milliseconds, the third word of each line.
        let times = try logs(log).flatMap { file in
            try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").compactMap { line in
                line.split(separator: " ").dropFirst(2).first.flatMap { Double($0) }.map { $0 / 1000 }
            }
        }
        return Load(
            count: times.count, seconds: Double(times.count) / rate, p50: times.median, p99: times.percentile(0.99),
            databaseCPU: cpu * 1e6 / Double(times.count))
    }

    private func logs(_ prefix: String) -> [String] {
        let folder = URL(fileURLWithPath: prefix).deletingLastPathComponent().path
        let name = URL(fileURLWithPath: prefix).lastPathComponent + "."
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasPrefix(name) }.map { folder + "/" + $0 }
    }

    private static func rate(in text: String) -> Double? {
        let line = text.split(separator: "\n").first { $0.hasPrefix("tps = ") }
        return line?.split(separator: " ").dropFirst(2).first.flatMap { Double($0) }
    }
}
