import Foundation

/// A database on the server that was started for this.
struct Database {
    let server: Server
    let name: String

    var url: String { server.url(of: name) }

    @discardableResult
    func run(_ sql: String) throws -> String { try server.psql(name, ["-c", sql]) }

    /// A file of `Tests/Bench/sql`.
    @discardableResult
    func run(file: String, _ variables: [String: Int] = [:], input: String? = nil) throws -> String {
        let set = variables.flatMap { ["-v", "\($0)=\($1)"] }
        return try server.psql(name, set + ["-f", server.bench.file("sql/\(file)")], input: input)
    }

    func count(_ sql: String) throws -> Int {
        let text = try run(sql)
        guard let count = Int(text) else { throw Failure("“\(text)” is no number: \(sql)") }
        return count
    }

    func drop() { _ = try? server.psql("postgres", ["-c", "drop database if exists \(name) with (force)"]) }

    /// Rows written since it was created, by table: inserted, changed, removed. Those who wrote must have gone: numbers
    /// come with a delay from those who stay.
    func rows() throws -> [String: Rows] {
        var rows: [String: Rows] = [:]
        for line in try run(file: "rows.sql").split(separator: "\n") {
            let words = line.split(separator: "|")
            let numbers = words.dropFirst().compactMap { Int($0) }
            guard numbers.count == 3 else { throw Failure("“\(line)” tells no rows") }
            rows[String(words[0])] = Rows(inserted: numbers[0], changed: numbers[1], removed: numbers[2])
        }
        return rows
    }
}

struct Rows {
    var inserted = 0
    var changed = 0
    var removed = 0

    static func - (left: Rows, right: Rows) -> Rows {
        Rows(
            inserted: left.inserted - right.inserted, changed: left.changed - right.changed,
            removed: left.removed - right.removed)
    }
}

/// The PostgreSQL beside which this runs.
struct Server {
    let bench: Bench
    private let address: String
    let bin: String
    let postmaster: pid_t

    init(bench: Bench) throws {
        let environment = ProcessInfo.processInfo.environment
        guard let url = environment["TEST_DATABASE_URL"], let bin = environment["TEST_POSTGRES_BIN"],
            let data = environment["TEST_POSTGRES_DATA"]
        else { throw Failure("there is no database server: run make bench") }
        let file = (try? String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8)) ?? ""
        guard let pid = file.split(separator: "\n").first.flatMap({ pid_t($0) }) else {
            throw Failure("the database server does not run")
        }
        self.bench = bench
        address = String(url[..<(url.lastIndex(of: "/") ?? url.endIndex)])
        self.bin = bin
        postmaster = pid
    }

    func url(of name: String) -> String { "\(address)/\(name)" }

    /// - Parameter template: copied with its rows; whoever used it must have gone.
    func create(_ name: String, from template: String = "template0") throws -> Database {
        let database = Database(server: self, name: name)
        database.drop()
        try psql("postgres", ["-c", "create database \(name) template \(template)"])
        return database
    }

    /// So that none of a measurement's time goes to what was written before it.
    func settle() throws { try psql("postgres", ["-c", "checkpoint"]) }

    @discardableResult
    func psql(_ name: String, _ arguments: [String], input: String? = nil) throws -> String {
        try bench.output(
            of: [bin + "/psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", url(of: name)] + arguments,
            seconds: 600, input: input)
    }
}
