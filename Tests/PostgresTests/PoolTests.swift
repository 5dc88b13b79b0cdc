import Testing

@testable import Postgres

@Suite("Pool", .timeLimit(.minutes(15))) struct PoolTests {
    private func pid(_ pool: PostgresPool) async throws -> Int {
        try await pool.query("select pg_backend_pid()").values(Int.self)[0]
    }

    /// Keeps a connection until the gate opens; returns when it has it.
    private func occupy(_ pool: PostgresPool, until gate: Gate) async -> Task<Void, any Error> {
        let leased = Gate()
        let task = Task {
            try await pool.withConnection { _ in
                leased.open()
                await gate.pass()
            }
        }
        await leased.pass()
        return task
    }

    @Test("A connection is opened when it is needed and used again")
    func reuse() async throws {
        let pool = try TestServer.pool()
        #expect(pool.statistics.size == 0)
        let first = try await pid(pool)
        #expect(try await pid(pool) == first)
        #expect(pool.statistics == PostgresPool.Statistics(size: 1, idle: 1, leased: 0, waiting: 0))
        #expect(await pool.shutdown())
    }

    @Test("No more connections are open than size and overflow, and the overflow is closed after use")
    func limits() async throws {
        let pool = try TestServer.pool(size: 2, maxOverflow: 1)
        let gate = Gate()
        var occupants: [Task<Void, any Error>] = []
        for _ in 0..<3 { occupants.append(await occupy(pool, until: gate)) }
        let waiting = Task { try await pid(pool) }
        try await eventually { pool.statistics.waiting == 1 }
        #expect(pool.statistics == PostgresPool.Statistics(size: 3, idle: 0, leased: 3, waiting: 1))
        gate.open()
        for occupant in occupants { try await occupant.value }
        _ = try await waiting.value
        #expect(pool.statistics == PostgresPool.Statistics(size: 2, idle: 2, leased: 0, waiting: 0))
        await pool.shutdown()
    }

    @Test("Many tasks share few connections")
    func manyTasks() async throws {
        let pool = try TestServer.pool(size: 3, maxOverflow: 2)
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 1...200 {
                group.addTask { try await pool.query("select \(number)").values(Int.self)[0] }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 20_100)
        #expect(pool.statistics.size <= 3)
        #expect(pool.statistics.leased == 0)
        await pool.shutdown()
    }

    @Test("Callers are served in the order they came")
    func order() async throws {
        let pool = try TestServer.pool(size: 1)
        let gate = Gate()
        let occupant = await occupy(pool, until: gate)
        let served = Counter()
        try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for number in 1...10 {
                group.addTask { (number, try await pool.withConnection { _ in served.increment() }) }
                try await eventually { pool.statistics.waiting == number }
            }
            gate.open()
            for try await (number, turn) in group { #expect(turn == number) }
        }
        try await occupant.value
        #expect(served.count == 10)
        await pool.shutdown()
    }

    @Test("Who waits for longer than the time-out gets an error that says so")
    func timeOut() async throws {
        let time = ManualClock()
        let pool = try TestServer.pool(size: 1, clock: time.clock)
        let gate = Gate()
        let occupant = await occupy(pool, until: gate)
        let waiting = Task { try await pid(pool) }
        try await eventually { time.sleeping == 1 }
        time.advance(by: .seconds(29))
        #expect(pool.statistics.waiting == 1)
        time.advance(by: .seconds(1))
        await #expect(throws: PostgresPoolError.timedOut) { try await waiting.value }
        #expect(pool.statistics.waiting == 0)
        gate.open()
        try await occupant.value
        _ = try await pid(pool)
        await pool.shutdown()
    }

    @Test("A cancelled waiter leaves the queue and takes no connection with him")
    func cancelledWaiter() async throws {
        let pool = try TestServer.pool(size: 1)
        let gate = Gate()
        let occupant = await occupy(pool, until: gate)
        let first = Task { try await pid(pool) }
        try await eventually { pool.statistics.waiting == 1 }
        let second = Task { try await pid(pool) }
        try await eventually { pool.statistics.waiting == 2 }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        #expect(pool.statistics.waiting == 1)
        gate.open()
        _ = try await second.value
        try await occupant.value
        #expect(pool.statistics == PostgresPool.Statistics(size: 1, idle: 1, leased: 0, waiting: 0))
        await pool.shutdown()
    }

    @Test("A connection that comes back in a transaction is closed, and its work is rolled back")
    func leftInTransaction() async throws {
        try await TestServer.withSchema(size: 1) { pool, schema in
            try await pool.execute("create table \(unescaped: schema).t (a int)")
            let before = try await pid(pool)
            try await pool.withConnection { connection in
                try await connection.executeScript("begin; insert into \(schema).t values (1)")
            }
            #expect(pool.statistics.size == 0)
            #expect(try await pid(pool) != before)
            #expect(try await pool.query("select 1 from \(unescaped: schema).t").isEmpty)
        }
    }

    @Test("A server process that is killed is replaced before its connection is lent again")
    func killed() async throws {
        let time = ManualClock()
        let pool = try TestServer.pool(size: 1, clock: time.clock)
        let before = try await pid(pool)
        let other = try await TestServer.connect()
        try await other.execute("select pg_terminate_backend(\(before)::integer)")
        try await eventually {
            try await other.query("select 1 from pg_stat_activity where pid = \(before)").isEmpty
        }
        time.advance(by: .milliseconds(1001))
        #expect(try await pid(pool) != before)
        #expect(pool.statistics.size == 1)
        await pool.shutdown()
    }

    @Test("After a restart of the server transactions go on, on new connections")
    func restarted() async throws {
        let time = ManualClock()
        let pool = try TestServer.pool(size: 3, clock: time.clock)
        let gate = Gate()
        var occupants: [Task<Void, any Error>] = []
        for _ in 0..<3 { occupants.append(await occupy(pool, until: gate)) }
        gate.open()
        for occupant in occupants { try await occupant.value }
        #expect(pool.statistics.idle == 3)
        let other = try await TestServer.connect()
        for process in try await processes(of: pool) {
            try await other.execute("select pg_terminate_backend(\(process)::integer, 10000)")
        }
        // No time has passed, so that the pool believes in its connections until the first one fails.
        for number in 0..<3 {
            let echo = try await pool.withTransaction { try await $0.query("select \(number)").values(Int.self) }
            #expect(echo == [number])
        }
        await pool.shutdown()
    }

    /// The server processes of all idle connections of the pool.
    private func processes(of pool: PostgresPool) async throws -> [Int] {
        let gate = Gate()
        let met = Counter()
        let size = pool.statistics.idle
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<size {
                group.addTask {
                    try await pool.withConnection { connection in
                        let pid = try await connection.query("select pg_backend_pid()").values(Int.self)[0]
                        if met.increment() == size { gate.open() }
                        await gate.pass()
                        return pid
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test("A connection that breaks while it is lent is not lent again")
    func broken() async throws {
        let pool = try TestServer.pool(size: 1)
        let error = await #expect(throws: PostgresError.self) {
            try await pool.execute("select pg_terminate_backend(pg_backend_pid())")
        }
        #expect(error?.isConnectionLost == true)
        #expect(pool.statistics.size == 0)
        _ = try await pid(pool)
        await pool.shutdown()
    }

    @Test("A connection is replaced when it is old, and only then")
    func recycle() async throws {
        let time = ManualClock()
        let pool = try TestServer.pool(size: 1, clock: time.clock)
        let first = try await pid(pool)
        time.advance(by: .seconds(3599))
        #expect(try await pid(pool) == first)
        time.advance(by: .seconds(1))
        #expect(try await pid(pool) != first)
        #expect(pool.statistics.size == 1)
        await pool.shutdown()
    }

    @Test("A connection that cannot be made is an error, and the next in the queue tries again")
    func unreachable() async throws {
        let pool = PostgresPool(PostgresPool.Configuration(url: "postgresql://user:hunter2@%2Fno%2Fsuch%2Ffolder/db"))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
                    #expect(error?.isConnectionLost == true)
                }
            }
        }
        #expect(pool.statistics == PostgresPool.Statistics(size: 0, idle: 0, leased: 0, waiting: 0))
    }

    @Test("Shutting down turns callers away and waits for what is lent")
    func shutdown() async throws {
        let pool = try TestServer.pool(size: 1)
        let gate = Gate()
        let occupant = await occupy(pool, until: gate)
        let waiting = Task { try await pid(pool) }
        try await eventually { pool.statistics.waiting == 1 }
        let end = Task { await pool.shutdown() }
        await #expect(throws: PostgresPoolError.shutDown) { try await waiting.value }
        await #expect(throws: PostgresPoolError.shutDown) { try await pid(pool) }
        #expect(pool.statistics.size == 1)
        gate.open()
        try await occupant.value
        #expect(await end.value)
        #expect(pool.statistics.size == 0)
    }

    @Test("Shutting down gives up on what is lent for too long, which is closed when it comes back")
    func boundedShutdown() async throws {
        let time = ManualClock()
        let pool = try TestServer.pool(size: 1, clock: time.clock)
        let gate = Gate()
        let occupant = await occupy(pool, until: gate)
        let end = Task { await pool.shutdown(grace: .seconds(5)) }
        try await eventually { time.sleeping == 1 }
        time.advance(by: .seconds(5))
        #expect(await end.value == false)
        gate.open()
        try await occupant.value
        #expect(pool.statistics.size == 0)
    }
}
