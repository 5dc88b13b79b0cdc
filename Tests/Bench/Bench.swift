import Foundation

/// What all points share: where things are, how big they are to be, and the table.
final class Bench {
    let root = FileManager.default.currentDirectoryPath
    /// Inside the database server's own folder, which goes when the server goes, however this ends.
    let folder: String
    let scale: Double
    let table = Table()
    private let only: [String]
    private var names = 0

    init() throws {
        let environment = ProcessInfo.processInfo.environment
        guard let data = environment["TEST_POSTGRES_DATA"] else {
            throw Failure("there is no database server: run make bench")
        }
        guard let scale = Double(environment["SCALE"] ?? "1"), scale > 0 else { throw Failure("SCALE is a number") }
        only = (environment["ONLY"] ?? "").split(separator: " ").map(String.init)
        self.scale = scale
        folder = URL(fileURLWithPath: data).deletingLastPathComponent().appendingPathComponent("bench").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if let wrong = only.first(where: { name in !Self.points.contains { $0.name == name } }) {
            throw Failure("there is no \(wrong), only \(Self.points.map(\.name).joined(separator: ", "))")
        }
    }

    /// Seconds after which no further point is begun.
    private static let limit = 1200.0
    private typealias Point = (name: String, measure: @Sendable (Stage) throws -> Void)

    private static let points: [Point] = [
        ("webhooks", { try WebhookPoint(stage: $0).measure() }),
        ("sqlite", { try SQLitePoint(stage: $0).measure() }),
        ("catalogue", { try CataloguePoint(stage: $0).measure() }),
        ("parse", { try ParsePoint(stage: $0).measure() }),
        ("start", { try StartPoint(stage: $0).measure() }),
        ("memory", { try MemoryPoint(stage: $0).measure() }),
        ("clock", { try ClockPoint(stage: $0).measure() }),
        ("large", { try LargePoint(stage: $0).measure() }),
        ("history", { try HistoryPoint(stage: $0).measure() }),
    ]

    /// - Returns: whether all went well.
    func run() throws -> Bool {
        let server = try Server(bench: self)
        table.head = try header(server)
        let stage = Stage(bench: self, server: server)
        let begin = Clock.now
        var isWell = true
        for point in Self.points where only.isEmpty || only.contains(point.name) {
            let start = Clock.now
            do {
                guard start < begin + Self.limit else { throw Failure("no time is left for it") }
                note("\(point.name) …")
                try point.measure(stage)
            } catch {
                isWell = false
                table.failures.append("\(point.name) failed: \(error)")
                note("\(point.name) failed: \(error)")
            }
            note("\(point.name): \(Int(Clock.now - start)) s")
            try save()
        }
        print(table.markdown)
        return isWell
    }

    private func save() throws {
        try table.markdown.write(toFile: root + "/.build/bench.md", atomically: true, encoding: .utf8)
    }

    private func header(_ server: Server) throws -> [String] {
        let load = try String(contentsOfFile: "/proc/loadavg", encoding: .utf8).split(separator: " ").prefix(3)
        let database = try server.psql("postgres", ["-c", "show server_version"])
        let settings = try server.psql(
            "postgres",
            [
                "-c",
                """
                select string_agg(name || ' ' || current_setting(name), ', ' order by name) from pg_settings
                where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'autovacuum', 'shared_buffers',
                    'max_wal_size', 'max_connections')
                """,
            ])
        return [
            "\(Date.now.formatted(.iso8601)), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) processors, load at the start "
                + "\(load.joined(separator: " ")), SCALE \(scale).",
            "PostgreSQL \(database), all settings its defaults: \(settings).",
            "",
            "The ratio is what was measured divided by what stands beside it, in the same run. CPU is that of the service "
                + "(or of what is named in its place) and of all processes of PostgreSQL, for an event, request or account. "
                + "p50 and p99 are wrk's, which adds what requests that could not be made would have waited.",
        ]
    }

    // MARK: What points need

    func note(_ text: String) { FileHandle.standardError.write(Data("bench: \(text)\n".utf8)) }

    /// A file of `Tests/Bench`.
    func file(_ name: String) -> String { "\(root)/Tests/Bench/\(name)" }

    func scaled(_ size: Int, atLeast least: Int = 1) -> Int { max(least, Int(Double(size) * scale)) }

    /// A new name in the folder.
    func place(_ name: String) -> String {
        names += 1
        return "\(folder)/\(names)-\(name)"
    }

    /// Runs a program to its end.
    ///
    /// - Returns: what it has printed.
    func output(
        of arguments: [String], environment: [String: String] = [:], seconds: Double, input: String? = nil
    ) throws -> String {
        let (output, errors) = (place("output"), place("errors"))
        defer { for file in [output, errors] { unlink(file) } }
        let child = try Child(
            arguments, environment: environment, folder: folder, input: input, output: output, errors: errors)
        let hasEnded = child.wait(seconds: seconds)
        let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        guard hasEnded, child.hasSucceeded else {
            let said = ((try? String(contentsOfFile: errors, encoding: .utf8)) ?? "").split(separator: "\n").prefix(3)
            let name = arguments[0].split(separator: "/").last ?? ""
            throw Failure("\(name) \(hasEnded ? "failed" : "took too long"): \(said.joined(separator: " "))")
        }
        return text.trimmingCharacters(in: .newlines)
    }
}
