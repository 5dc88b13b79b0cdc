import Foundation
import Glibc
import Testing

@testable import Postgres

/// A server that hangs answers nothing and closes nothing: only a deadline tells.
@Suite("A server that hangs", .timeLimit(.minutes(15))) struct HangTests {
    /// Stops the process that serves a connection while `body` runs.
    private func withStopped<Result>(
        _ pid: Int, _ body: () async throws -> Result
    ) async throws -> Result {
        let process = pid_t(pid)
        try #require(kill(process, SIGSTOP) == 0)
        defer { kill(process, SIGCONT) }
        return try await body()
    }

    private func pid(_ connection: PostgresConnection) async throws -> Int {
        try await connection.query("select pg_backend_pid()").values(Int.self)[0]
    }

    @Test("A transaction ends at its deadline, its connection is closed, and the next one gets another")
    func transaction() async throws {
        // However long this test is held up, the connection is not taken for one that has been idle, which is checked.
        let pool = try TestServer.pool(size: 1, clock: ManualClock().clock)
        let before = try await pool.withConnection { try await pid($0) }
        let error = try await withStopped(before) {
            await #expect(throws: PostgresError.self) {
                let settings = PostgresTransactionSettings(deadline: .now + .milliseconds(300))
                try await pool.withTransaction(settings: settings) { _ = try await $0.query("select 1") }
            }
        }
        #expect(error == .timedOut)
        #expect(pool.statistics == PostgresPool.Statistics(size: 0, idle: 0, leased: 0, waiting: 0))
        #expect(try await pool.withConnection { try await pid($0) } != before)
        await pool.shutdown()
    }

    @Test("A connection that does not answer is not lent")
    func check() async throws {
        let time = ManualClock()
        let pool = try TestServer.pool(size: 1, clock: time.clock)
        let before = try await pool.withConnection { try await pid($0) }
        time.advance(by: .milliseconds(1001))
        let after = try await withStopped(before) { try await pool.withConnection { try await pid($0) } }
        #expect(after != before)
        #expect(pool.statistics.size == 1)
        await pool.shutdown()
    }

    @Test("Who is cancelled does not wait for it longer than for a server that stops the statement")
    func cancellation() async throws {
        let connection = try await TestServer.connect()
        let process = try await pid(connection)
        try await withStopped(process) {
            let task = Task { try await connection.query("select 1") }
            // It is sent, and waits.
            try await eventually { !connection.isReusable }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        await #expect(throws: PostgresError.self) { try await connection.query("select 1") }
    }

    @Test("A transaction that cannot be rolled back leaves no connection behind")
    func rollback() async throws {
        struct Refusal: Error {}
        let pool = try TestServer.pool(size: 1)
        let process = try await pool.withConnection { try await pid($0) }
        await #expect(throws: Refusal.self) {
            try await pool.withTransaction { connection in
                _ = try await connection.query("select 1")
                kill(pid_t(process), SIGSTOP)
                throw Refusal()
            }
        }
        kill(pid_t(process), SIGCONT)
        #expect(pool.statistics.size == 0)
        await pool.shutdown()
    }

    @Test("A host that takes connections and says nothing is waited for until the deadline")
    func blackHole() async throws {
        let hole = try BlackHole()
        defer { hole.close() }
        let pool = try TestServer.pool(size: 1) {
            $0.url = "postgres://127.0.0.1:\(hole.port)/x?connect_timeout=600"
        }
        await #expect(throws: PostgresPoolError.timedOut) {
            try await pool.withConnection(by: .now + .milliseconds(300)) { _ in }
        }
        // The way to it goes on until the host closes; then its place is free.
        #expect(pool.statistics.size == 1)
        hole.close()
        try await eventually { pool.statistics.size == 0 }
        await pool.shutdown()
    }

    @Test("A connection that is there too late goes to the next caller")
    func late() async throws {
        let pool = try TestServer.pool(size: 1)
        let first = Task { try await pool.withConnection { try await pid($0) } }
        // It is being opened.
        try await eventually { pool.statistics.size == 1 }
        first.cancel()
        _ = await first.result
        _ = try await pool.withConnection { try await pid($0) }
        #expect(pool.statistics == PostgresPool.Statistics(size: 1, idle: 1, leased: 0, waiting: 0))
        await pool.shutdown()
    }

    @Test("Beyond the queue's length callers are turned away at once")
    func queue() async throws {
        let pool = try TestServer.pool(size: 1) { $0.queueLength = 1 }
        let gate = Gate()
        let leased = Gate()
        let occupant = Task {
            try await pool.withConnection { _ in
                leased.open()
                await gate.pass()
            }
        }
        await leased.pass()
        let waiting = Task { try await pool.withConnection { try await pid($0) } }
        try await eventually { pool.statistics.waiting == 1 }
        await #expect(throws: PostgresPoolError.queueFull) { try await pool.withConnection { _ in } }
        gate.open()
        try await occupant.value
        _ = try await waiting.value
        await pool.shutdown()
    }

    @Test("A statement that takes longer than it may is stopped by the server, and the connection stays good")
    func statement() async throws {
        let pool = try TestServer.pool(size: 1)
        let error = await #expect(throws: PostgresError.self) {
            let settings = PostgresTransactionSettings(statementTimeout: .milliseconds(50))
            try await pool.withTransaction(settings: settings) { _ = try await $0.query("select pg_sleep(600)") }
        }
        #expect(error?.sqlState == "57014")
        #expect(try await pool.query("show statement_timeout").values(String.self) == ["0"])
        #expect(pool.statistics == PostgresPool.Statistics(size: 1, idle: 1, leased: 0, waiting: 0))
        await pool.shutdown()
    }
}

/// Listens, and never says anything.
private final class BlackHole: Sendable {
    let port: Int
    private let socket: Int32

    init() throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = socket
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && listen(socket, 8) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        try #require(isBound)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    /// What has connected is reset.
    func close() { Glibc.shutdown(socket, Int32(SHUT_RDWR)) }
}
