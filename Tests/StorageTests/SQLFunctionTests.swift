import Accounts
import Billing
import Foundation
import LemonSqueezy
import Payloads
import Postgres
import Selextract
import Storage
import TestSupport
import Testing

/// What other programs do to compute units: by PostgreSQL's functions, which leave what this program's own charges leave,
/// or by a plain update.
@Suite struct SQLFunctionTests {
    private let policy = BillingPolicy()
    private let account = ada.lowercased
    /// Of the account, of its first purchase, and of the change that follows; all before now.
    private let (begin, bought, changed): (Date, Date, Date)

    init() {
        let now = Date.now.wholeSeconds
        (begin, bought, changed) = (now - 3 * 86400, now - 2 * 86400, now - 3600)
    }

    /// A change of units, by either way.
    private enum Act: Sendable, CustomStringConvertible {
        case consume(Int, UUID)
        case add(Int)
        case write(Int)

        var description: String {
            switch self {
            case .consume(let units, _): "consume \(units)"
            case .add(let units): "add \(units)"
            case .write(let units): "write \(units)"
            }
        }
    }

    private func run(_ act: Act, _ store: Store) async throws {
        switch act {
        case .consume(let units, let task):
            try await store.consumeComputeUnits(units, for: task, of: ada, policy: policy)
        case .add(let units): try await store.addComputeUnits(units, to: ada, reason: "sorry", policy: policy)
        case .write: break
        }
    }

    /// - Returns: what the function says is left; nil for a plain update.
    private func run(_ act: Act, _ database: TestDatabase) async throws -> String? {
        switch act {
        case .consume(let units, let task):
            try await database.values(
                "select consume_compute_units('\(account)', \(units), '\(task.lowercased)')::text")[0]
        case .add(let units):
            try await database.values("select add_compute_units('\(account)', \(units), 'sorry')::text")[0]
        case .write: nil
        }
    }

    private func left(_ database: TestDatabase) async throws -> String {
        try await database.values("select compute_units_remaining::text from users")[0]
    }

    /// All rows about units, but for their own ids and times.
    private func rows(_ database: TestDatabase, buckets: Bool = true) async throws -> [String] {
        var queries = [
            "select concat_ws(' ', 'account', compute_units_remaining, billing_balance) from users order by id",
            """
            select concat_ws(' ', 'charge', line, begins_at, consumed, adjusted) from compute_unit_charges
            order by line, begins_at
            """,
            """
            select concat_ws(' ', 'ledger', kind, units, balance, line, begins_at, task_id, shortfall, reason)
            from compute_unit_ledger order by id
            """,
            """
            select concat_ws(' ', 'action', kind, units, line, begins_at, reason) from operator_actions
            order by created_at
            """,
        ]
        if buckets {
            queries += [
                """
                select concat_ws(' ', 'row', subscription_tier, compute_units_reset_date, billing_due_at, billing_revision)
                from users
                """,
                """
                select concat_ws(' ', 'bucket', line, begins_at, ends_at, unlocked_at, granted, consumed, adjusted, carried)
                from compute_unit_buckets order by line, begins_at
                """,
            ]
        }
        var rows: [String] = []
        for query in queries { rows += try await database.values(query) }
        return rows
    }

    /// The account on both databases, with the same events.
    private func prepare(_ database: TestDatabase, _ store: Store, _ bodies: [[UInt8]]) async throws {
        try await store.prepare()
        let time = begin.formatted(.iso8601)
        try await database.execute(
            """
            update users set created_at = '\(time)', compute_units_reset_date = timestamptz '\(time)' + interval '1 month'
            """)
        if !bodies.isEmpty { try await store.receive(bodies) }
    }

    /// Runs the same on two databases, on one of them by the functions, and compares all rows after each act.
    ///
    /// - Parameter exactly: false: what the clock computes within a second is compared only after it ran.
    private func compare(_ bodies: [[UInt8]], _ acts: [Act], exactly: Bool = true) async throws {
        try await DatabaseKind.postgreSQL.withDatabases { own, other in
            try await own.withStore { ownStore in
                try await other.withStore { otherStore in
                    try await prepare(own, ownStore, bodies)
                    try await prepare(other, otherStore, bodies)
                    for act in acts {
                        if case .write(let units) = act {
                            for database in [own, other] {
                                try await database.execute("update users set compute_units_remaining = \(units)")
                            }
                            continue
                        }
                        try await run(act, ownStore)
                        let told = try await run(act, other)
                        #expect(try await left(other) == told, "\(act)")
                        #expect(
                            try await rows(other, buckets: exactly) == (try await rows(own, buckets: exactly)), "\(act)"
                        )
                    }
                    for store in [ownStore, otherStore] { _ = try await Tick(store, policy: policy).run() }
                    #expect(try await rows(other) == (try await rows(own)))
                    #expect(try await Rebuild(otherStore, policy: policy).run(check: true).problems == [])
                }
            }
        }
    }

    private var purchase: ProviderSubscription {
        ProviderSubscription(userID: ada, createdAt: bought, renewsAt: bought.adding(months: 1))
    }

    @Test func `the functions leave the same rows as this program's own charges`() async throws {
        var subscription = purchase
        try await compare(
            [subscription.event("subscription_created")],
            [.consume(300, UUID()), .consume(0, UUID()), .add(50), .consume(750, UUID())])
    }

    @Test func `what another program wrote before comes first in the ledger`() async throws {
        var subscription = purchase
        try await compare(
            [subscription.event("subscription_created")],
            [.write(600), .consume(10, UUID()), .write(700), .add(5), .write(0), .consume(0, UUID())], exactly: false)
    }

    @Test func `an account that the clock has not seen is charged, and the clock finds nothing to correct`()
        async throws
    {
        try await compare([], [.consume(30, UUID()), .add(5), .write(20), .consume(1, UUID())], exactly: false)
        try await compare([], [.write(40), .consume(15, UUID())], exactly: false)
    }

    @Test func `what is given is taken by what is owed, in this month and the next`() async throws {
        // Paid for a year, so that the next month is known.
        var subscription = purchase
        subscription.renewsAt = bought.adding(months: 12)
        subscription.variantID = "102"
        let upper = subscription.event("subscription_created")
        let task = UUID()
        subscription.variantID = "101"
        let lower = subscription.event("subscription_updated", at: changed)
        try await DatabaseKind.postgreSQL.withDatabases { own, other in
            try await own.withStore { ownStore in
                try await other.withStore { otherStore in
                    for (database, store) in [(own, ownStore), (other, otherStore)] {
                        try await prepare(database, store, [upper])
                        try await store.consumeComputeUnits(4900, for: task, of: ada, policy: policy)
                        try await store.receive([lower])
                    }
                    #expect(try await left(other) == "0")
                    let owed = try await rows(other).filter { $0.hasPrefix("bucket") && !$0.hasSuffix(" 0") }
                    #expect(!owed.isEmpty)
                    for act in [Act.add(1), .add(9000), .consume(10, UUID())] {
                        try await run(act, ownStore)
                        _ = try await run(act, other)
                        #expect(try await rows(other) == (try await rows(own)), "\(act)")
                    }
                    #expect(try await Rebuild(otherStore, policy: policy).run(check: true).problems == [])
                }
            }
        }
    }

    @Test func `a task is charged once, and counted once in the day's usage`() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await database.withStore { store in
                try await store.prepare()
                let task = UUID()
                #expect(try await run(.consume(30, task), database) == "70")
                #expect(try await run(.consume(30, task), database) == "70")
                #expect(try await run(.consume(0, UUID()), database) == "70")
                // This program knows the charge, too.
                let entry = try await store.consumeComputeUnits(30, for: task, of: ada, policy: policy)
                #expect((entry.units, entry.balance) == (-30, 70))
                let usage = try #require(try await store.overview(user: ada)?.usage)
                #expect((usage.tasksExecuted, usage.computeUnitsUsed) == (2, 30))
            }
        }
    }

    @Test func `what cannot be charged is refused by an error of its own, and changes nothing`() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await database.withStore { store in
                try await store.prepare()
                _ = try await store.createUser(email: "bob@example.com", id: bob)
                let task = UUID().lowercased
                _ = try await database.values("select consume_compute_units('\(account)', 1, '\(task)')::text")
                let before = try await rows(database)
                let nobody = UUID().lowercased
                let refused: [(call: String, sqlState: String)] = [
                    ("consume_compute_units('\(account)', 100, gen_random_uuid())", "23514"),
                    ("consume_compute_units('\(account)', -1, gen_random_uuid())", "22023"),
                    ("consume_compute_units('\(account)', null, gen_random_uuid())", "22023"),
                    ("consume_compute_units('\(account)', 1, null)", "22023"),
                    ("consume_compute_units(null, 1, gen_random_uuid())", "22023"),
                    ("consume_compute_units('\(nobody)', 1, gen_random_uuid())", "23503"),
                    ("consume_compute_units('\(bob.lowercased)', 1, '\(task)')", "23505"),
                    ("add_compute_units('\(account)', 0, 'gift')", "22023"),
                    ("add_compute_units('\(nobody)', 1, 'gift')", "23503"),
                ]
                for (call, sqlState) in refused {
                    let error = await #expect(throws: PostgresError.self, "\(call)") {
                        _ = try await database.values("select \(call)::text")
                    }
                    #expect(error?.sqlState == sqlState, "\(call)")
                }
                let error = await #expect(throws: PostgresError.self) {
                    try await database.execute(
                        """
                        begin isolation level repeatable read;
                        select consume_compute_units('\(account)', 1, gen_random_uuid());
                        commit
                        """)
                }
                #expect(error?.sqlState == "0A000")
                #expect(try await rows(database) == before)
            }
        }
    }

    @Test func `the column's greatest number is not exceeded, and the ledger's sum is the balance`() async throws {
        try await compare([], [.add(2_147_483_647), .consume(1000, UUID())], exactly: false)
    }

    // MARK: Plain updates

    @Test(arguments: DatabaseKind.allCases)
    func `an account is due when another program changes its units, and not when this one does`(
        kind: DatabaseKind
    ) async throws {
        try await kind.withDatabase { database in
            try await database.withStore { store in
                try await store.prepare()
                var subscription = purchase
                try await store.receive([subscription.event("subscription_created")])
                _ = try await Tick(store, policy: policy).run()
                try await store.consumeComputeUnits(300, for: UUID(), of: ada, policy: policy)
                try await store.addComputeUnits(5, to: ada, reason: "gift", policy: policy)
                #expect(try await Tick(store, policy: policy).run(onlyDue: true).accounts == 0)
                try await database.execute("update users set full_name = 'Ada', compute_units_remaining = 705")
                #expect(try await Tick(store, policy: policy).run(onlyDue: true).accounts == 0)

                try await database.execute("update users set compute_units_remaining = compute_units_remaining - 100")
                #expect(try await Tick(store, policy: policy).run(onlyDue: true).accounts == 1)
                let last = try #require(try await store.ledger(user: ada).last?.entry)
                #expect((last.kind, last.units, last.balance) == (.external, -100, 605))
                #expect(try await Tick(store, policy: policy).run(onlyDue: true).accounts == 0)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `units that were written before the database had the trigger are found by the migration`(
        kind: DatabaseKind
    ) async throws {
        try await kind.withDatabases(migrated: false) { present, earlier in
            try await present.withStore { store in
                try await store.prepare()
                _ = try await Tick(store, policy: policy).run()
            }
            try await present.execute("update users set compute_units_remaining = 60")
            try await present.execute("update users set billing_due_at = '2199-01-01T00:00:00.000Z'")
            try await earlier.become(version: 4, withRowsOf: present)
            try await earlier.withStore { store in
                let report = try await Tick(store, policy: policy).run(onlyDue: true)
                let ledger = try await store.ledger(user: ada)
                #expect(report.accounts == 1)
                #expect(ledger.last?.entry.kind == .external)
            }
        }
    }
}
