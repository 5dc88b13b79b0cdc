import Databases
import Foundation
import LemonSqueezy
import Payloads
import Postgres
import Storage
import TestSupport
import Testing

/// One thing that is stuck, beside the built program: it tells so in time, and everything else goes on.
@Suite(.timeLimit(.minutes(15))) struct StuckTests {
    /// The program while it serves, and what it has logged.
    private struct Serving: Sendable {
        let port: Int
        let adminPort: Int
        let process: Process
        let ended: Task<Void, Never>
        private let log: URL

        static func start(_ url: String, waits: Bool = true) async throws -> Serving {
            let adminPort = try FreePort.any()
            let port = try FreePort.any()
            let program = try Program([
                "DATABASE_URL": url, "PORT": "\(port)", "ADMIN_PORT": "\(adminPort)", "LOG_LEVEL": "warning",
                "LEMON_SQUEEZY_STARTER_VARIANT_ID": "101",
            ])
            let log = program.folder.appendingPathComponent("log")
            try Data().write(to: log)
            let process = program.process(["serve"])
            process.standardError = try FileHandle(forWritingTo: log)
            process.standardOutput = FileHandle.nullDevice
            let ended = try process.start()
            let serving = Serving(port: port, adminPort: adminPort, process: process, ended: ended, log: log, program)
            if waits { try await eventually { serving.lines.contains { $0.hasPrefix("Listening on ") } } }
            return serving
        }

        /// Keeps its folder.
        private let program: Program

        private init(
            port: Int, adminPort: Int, process: Process, ended: Task<Void, Never>, log: URL, _ program: Program
        ) {
            (self.port, self.adminPort, self.process, self.ended) = (port, adminPort, process, ended)
            (self.log, self.program) = (log, program)
        }

        var lines: [String] {
            ((try? String(contentsOf: log, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
        }

        func deliver(_ body: [UInt8]) async throws -> HTTPReply {
            try await HTTPClient(port: port).send(
                "POST", "/webhooks/lemon-squeezy",
                headers: [("x-signature", Signature.sign(body, secret: Program.secret))], body: body)
        }

        func readyz() async throws -> HTTPReply { try await HTTPClient(port: adminPort).send("GET", "/readyz") }

        func stop() async {
            process.terminate()
            await ended.value
        }
    }

    private func serving<Result>(
        _ url: String, waits: Bool = true, _ body: (Serving) async throws -> Result
    ) async throws -> Result {
        let serving = try await Serving.start(url, waits: waits)
        do {
            let result = try await body(serving)
            await serving.stop()
            #expect(serving.process.terminationReason == .exit)
            Program.expectNothingPrivate(in: serving.lines.joined(separator: "\n"))
            return result
        } catch {
            await serving.stop()
            throw error
        }
    }

    /// A purchase of an account of its own.
    private static func purchase(_ number: Int, of user: UUID?) -> [UInt8] {
        var subscription = ProviderSubscription(
            userID: user, createdAt: Date(), renewsAt: Date().addingTimeInterval(2_592_000))
        subscription.id = "\(70_000 + number)"
        subscription.customerID = "\(80_000 + number)"
        subscription.orderID = "\(90_000 + number)"
        return subscription.event("subscription_created", delivery: number)
    }

    @Test("Server processes that hang: 503 for what waits, a line, new connections, and an end when it is told to")
    func hungBackends() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await serving(database.url) { serving in
                #expect(try await serving.deliver(Self.purchase(1, of: nil)).status == 200)
                let name = database.url.split(separator: "/").last.map(String.init) ?? ""
                let processes = try await database.values(
                    """
                    select pid::text from pg_stat_activity
                    where datname = '\(name)' and application_name = 'selextract-billing' and pid <> pg_backend_pid()
                        and backend_type = 'client backend'
                    """
                ).compactMap { pid_t($0) }
                #expect(!processes.isEmpty)
                for process in processes { kill(process, SIGSTOP) }
                defer { for process in processes { kill(process, SIGCONT) } }

                let replies = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 2...6 {
                        group.addTask { try await serving.deliver(Self.purchase(number, of: nil)).status }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                // Those that the first batch took, and those behind it; a connection of another lane may have been free.
                #expect(replies.allSatisfy { $0 == 503 || $0 == 200 })
                let isTold = serving.lines.contains { $0.contains("deliveries could not be stored") }
                #expect(replies.contains(503) == isTold)
                try await eventually { try await serving.deliver(Self.purchase(7, of: nil)).status == 200 }
                try await eventually { try await serving.readyz().status == 200 }
                await serving.stop()
            }
        }
    }

    @Test("A database that says nothing any more: 503, not ready, a line, and an end when it is told to")
    func blackHole() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            let proxy = try Proxy(to: database)
            defer { proxy.close() }
            try await serving(try proxy.url(of: database)) { serving in
                #expect(try await serving.deliver(Self.purchase(1, of: nil)).status == 200)
                proxy.goSilent()
                let replies = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 2...6 {
                        group.addTask { try await serving.deliver(Self.purchase(number, of: nil)).status }
                    }
                    group.addTask { try await serving.readyz().status }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(replies == Array(repeating: 503, count: 6))
                #expect(serving.lines.contains { $0.contains("deliveries could not be stored") })
                await serving.stop()
            }
            #expect(try await database.values("select count(*)::text from webhook_events") == ["1"])
        }
    }

    @Test("An account whose row another program holds waits alone, and is as it should be once it is free")
    func heldAccount() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            let (ada, bob) = (UUID(), UUID())
            try await database.withStore { store in
                _ = try await store.createUser(email: "ada@example.com", id: ada)
                _ = try await store.createUser(email: "bob@example.com", id: bob)
            }
            try await serving(database.url) { serving in
                let other = try await PostgresConnection.connect(url: database.url)
                try await other.executeScript("begin; select 1 from users where id = '\(ada)' for update")
                async let held = serving.deliver(Self.purchase(1, of: ada))
                for number in 2...5 {
                    let reply = try await serving.deliver(Self.purchase(number, of: bob))
                    #expect(reply.status == 200)
                    #expect(reply.member("status") == "applied")
                }
                let reply = try await held
                #expect(reply.status == 200)
                #expect(reply.member("status") == "failed")
                #expect(reply.member("reason") == "busy")
                try await other.executeScript("rollback")
                await other.close()
                // The clock tries it again by itself.
                try await eventually {
                    try await database.values("select subscription_tier from users where id = '\(ada)'") == ["starter"]
                }
            }
        }
    }

    @Test("Reads behind a locked table take nothing from deliveries")
    func lockedReads() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await serving(database.url) { serving in
                let other = try await PostgresConnection.connect(url: database.url)
                try await other.executeScript("begin; lock table api_keys in access exclusive mode")
                try await withThrowingTaskGroup(of: Int?.self) { group in
                    for number in 10..<70 {
                        group.addTask {
                            let key = "slx_" + String(repeating: "0", count: 41) + "\(number)"
                            return try await HTTPClient(port: serving.port).send(
                                "GET", "/v1/account", headers: [("authorization", "Bearer \(key)")]
                            ).status
                        }
                    }
                    for number in 1...20 {
                        group.addTask {
                            let status = try await serving.deliver(Self.purchase(number, of: nil)).status
                            #expect(status == 200)
                            return nil
                        }
                    }
                    for try await case let status? in group { #expect(status == 503) }
                }
                await other.close()
            }
        }
    }

    @Test("A table that is locked: 503 after one wait, and nothing is set aside")
    func lockedTable() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await serving(database.url) { serving in
                let other = try await PostgresConnection.connect(url: database.url)
                try await other.executeScript("begin; lock table webhook_events in access exclusive mode")
                let replies = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 1...12 {
                        group.addTask { try await serving.deliver(Self.purchase(number, of: nil)).status }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(replies == Array(repeating: 503, count: 12))
                try await other.executeScript("rollback")
                await other.close()
                #expect(try await serving.deliver(Self.purchase(1, of: nil)).status == 200)
            }
            #expect(try await database.values("select count(*)::text from webhook_events") == ["1"])
        }
    }

    @Test("A database that is away at the start is waited for, with both ports open")
    func awayAtTheStart() async throws {
        try await DatabaseKind.postgreSQL.withDatabase(migrated: false) { database in
            let port = try FreePort.any()
            var url = try #require(URLComponents(string: database.url))
            (url.host, url.port) = ("127.0.0.1", port)
            try await serving(try #require(url.string), waits: false) { serving in
                try await eventually { (try? await serving.readyz().status) == 503 }
                #expect(try await serving.deliver(Self.purchase(1, of: nil)).status == 503)
                #expect(try await HTTPClient(port: serving.port).send("GET", "/v1/plans").status == 503)
                #expect(serving.lines.contains { $0.contains("waiting for the database") })
                let proxy = try Proxy(to: database, on: port)
                defer { proxy.close() }
                try await eventually { try await serving.readyz().status == 200 }
                #expect(try await serving.deliver(Self.purchase(1, of: nil)).status == 200)
                await serving.stop()
            }
        }
    }

    @Test("A port that is taken is named before anything runs", arguments: ["PORT", "ADMIN_PORT"])
    func takenPort(_ setting: String) async throws {
        let taken = try Proxy(to: "")
        defer { taken.close() }
        let program = try Program([setting: "\(taken.port)"])
        let finished = try await program.run("serve")
        #expect(finished.status == 1)
        #expect(finished.sentence.hasPrefix("\(setting)=\(taken.port) on 127.0.0.1: another program listens there"))
        // No migration has run.
        #expect(try await program.run("plans", "list").sentence == "the schema is not up to date: run `migrate`")
    }

    @Test("A terminal that is closed ends nothing")
    func hangUp() async throws {
        try await DatabaseKind.sqlite.withDatabaseURL { url in
            try await serving(url) { serving in
                kill(serving.process.processIdentifier, SIGHUP)
                let reply = try await serving.deliver(Self.purchase(1, of: nil))
                #expect(reply.status == 200)
            }
        }
    }

    @Test("Not ready while what a delivery writes is refused, and says why")
    func notWritable() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await serving(database.url) { serving in
                try await eventually { try await serving.readyz().status == 200 }
                for (harm, mend) in [
                    ("alter table webhook_events rename to w", "alter table w rename to webhook_events"),
                    (
                        "alter table webhook_events drop constraint webhook_events_body_sha256_key",
                        "alter table webhook_events add constraint webhook_events_body_sha256_key unique (body_sha256)"
                    ),
                    (
                        "create function no() returns trigger language plpgsql as $$begin raise 'no'; end$$;"
                            + "create trigger no before insert on webhook_events execute function no()",
                        "drop trigger no on webhook_events"
                    ),
                ] {
                    try await database.execute(harm)
                    try await eventually { try await serving.readyz().status == 503 }
                    #expect(try await serving.readyz().member("detail")?.isEmpty == false)
                    try await database.execute(mend)
                    try await eventually { try await serving.readyz().status == 200 }
                }
                #expect(try await database.values("select count(*)::text from webhook_events") == ["0"])
            }
        }
    }
}

/// A port that is free at the moment.
enum FreePort {
    static func any() throws -> Int {
        let proxy = try Proxy(to: "")
        proxy.close()
        return proxy.port
    }
}
