import Foundation

/// The release program as a child, serving on free ports.
final class Service {
    let process: Child
    let port: Int
    let adminPort: Int
    /// Seconds from its start to the first 200 of `/readyz`.
    let startup: Double
    private let log: String

    init(bench: Bench, url: String) throws {
        port = HTTP.freePort()
        adminPort = HTTP.freePort()
        log = bench.place("service.log")
        let start = Clock.now
        process = try Child(
            [Self.program(bench), "serve"],
            environment: Self.settings(url: url).merging(["PORT": "\(port)", "ADMIN_PORT": "\(adminPort)"]) { $1 },
            folder: bench.folder, output: log, errors: log)
        var end = start
        while true {
            if HTTP.get("/readyz", port: adminPort)?.status == 200 {
                end = Clock.now
                break
            }
            guard process.isRunning, Clock.now < start + 60 else {
                let said = ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").suffix(300)
                process.stop()
                throw Failure("the service does not start: \(said.replacing("\n", with: " "))")
            }
            usleep(1000)
        }
        startup = end - start
        // The public port is opened with the other, but nobody says when.
        while HTTP(port: port) == nil, Clock.now < start + 60 { usleep(1000) }
    }

    func stop() {
        process.stop()
        unlink(log)
    }

    static func program(_ bench: Bench) -> String { bench.root + "/.build/release/selextract-billing" }

    static func settings(url: String) -> [String: String] {
        [
            "DATABASE_URL": url, "LEMON_SQUEEZY_WEBHOOK_SECRET": Deliveries.secret,
            "LEMON_SQUEEZY_STARTER_VARIANT_ID": "101", "LEMON_SQUEEZY_PROFESSIONAL_VARIANT_ID": "102",
            "LEMON_SQUEEZY_ENTERPRISE_VARIANT_ID": "103",
        ]
    }

    /// Runs another command of the program on the same database.
    @discardableResult
    static func command(_ arguments: [String], bench: Bench, url: String, seconds: Double) throws -> String {
        try bench.output(of: [program(bench)] + arguments, environment: settings(url: url), seconds: seconds)
    }
}
