import Accounts
import Billing
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// A Python program on the same database, while the service runs.
@Suite(.timeLimit(.minutes(10)))
struct PythonTests {
    private let policy = BillingPolicy()

    @Test(
        "What another program does day by day works with both drivers, and its units are in the ledger at once",
        arguments: ["asyncpg", "psycopg2"])
    func everyday(_ driver: String) async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            let python = try Launched.python(database)
            try await Launched.service(database).serve { _ in
                let output = try await python.output(["everyday.py", driver])
                let user = try #require(UUID(uuidString: try JSONDecoder().decode(String.self, from: output)))
                try await idle(database)
                try await database.withStore { store in
                    let ledger = try await store.ledger(user: user).map(\.entry)
                    #expect(ledger.first?.kind == .grant)
                    #expect(ledger.dropFirst().allSatisfy { $0.kind == .external })
                    #expect(ledger.dropFirst().reduce(0) { $0 + $1.units } == -10)
                    #expect(try await store.user(id: user)?.computeUnitsRemaining == 90)
                }
                try await expectSound(database)
            }
        }
    }

    @Test("Twenty workers of another program, deliveries and own charges at once leave each ledger exact")
    func workers() async throws {
        let accounts = (0..<6).map { _ in UUID() }
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await database.withStore { store in
                for (variant, plan) in [("101", "starter"), ("102", "professional")] {
                    try await store.mapVariant(variant, to: plan)
                }
                let rows = accounts.map { "('\($0)', '\($0)@example.com')" }.joined(separator: ", ")
                try await database.execute("insert into users (id, email) values \(rows)")
                let python = try Launched.python(database)
                let (told, own) = try await Launched.service(database).serve { port in
                    let input = String(decoding: try JSONEncoder().encode(accounts), as: UTF8.self)
                    async let told = python.output(["workers.py", "30"], input: input)
                    async let own = charge(accounts, store)
                    try await deliver(accounts, port)
                    let taken = try await (JSONDecoder().decode(Taken.self, from: told), own)
                    try await idle(database)
                    return taken
                }
                #expect(told.charged.values.reduce(0, +) > 0 && told.written.values.reduce(0, +) != 0)
                for account in accounts {
                    let id = account.uuidString.lowercased()
                    let charges = try await database.values(
                        """
                        select sum(consumed) || ' ' || sum(adjusted) from compute_unit_charges where user_id = '\(id)'
                        """)
                    #expect(
                        charges == ["\((told.charged[id] ?? 0) + (own[account] ?? 0)) \(told.written[id] ?? 0)"])
                    #expect(try await store.user(id: account)?.subscriptionTier == "professional")
                }
                try await expectSound(database)
            }
        }
    }

    /// What the Python program says it took, by account.
    private struct Taken: Decodable, Sendable {
        var charged: [String: Int]
        var written: [String: Int]
    }

    /// This program's own charges, from a second process than the one that serves.
    private func charge(_ accounts: [UUID], _ store: Store) async throws -> [UUID: Int] {
        var taken: [UUID: Int] = [:]
        for turn in 0..<60 {
            let account = accounts[turn % accounts.count]
            do {
                try await store.consumeComputeUnits(2, for: UUID(), of: account, policy: policy)
                taken[account, default: 0] += 2
            } catch is UnitRefusal {
                continue
            }
        }
        return taken
    }

    /// A purchase of each account, its invoice, an upgrade, and all of it again.
    private func deliver(_ accounts: [UUID], _ port: Int) async throws {
        let now = Date.now.wholeSeconds
        var bodies: [[UInt8]] = []
        for (number, account) in accounts.enumerated() {
            let bought = now - 2 * 86400
            var subscription = ProviderSubscription(
                userID: account, createdAt: bought, renewsAt: bought.adding(months: 1))
            (subscription.id, subscription.customerID) = ("91000\(number)", "51500\(number)")
            bodies.append(subscription.event("subscription_created"))
            bodies.append(subscription.invoice(id: 7_300_000 + number, reason: "initial", createdAt: bought))
            subscription.variantID = "102"
            bodies.append(subscription.event("subscription_updated", at: now - 3600))
        }
        let client = HTTPClient(port: port)
        for body in bodies + bodies.reversed() {
            let reply = try await client.send(
                "POST", "/webhooks/lemon-squeezy",
                headers: [("X-Signature", Signature.sign(body, secret: Launched.secret))], body: body)
            #expect(reply.status == 200)
        }
    }

    /// Waits until the clock has nothing to do, and no program anything that is not in the ledger.
    private func idle(_ database: TestDatabase) async throws {
        while try await database.values(
            """
            select email::text from users u
            left join lateral (
                select balance from compute_unit_ledger where user_id = u.id order by id desc limit 1
            ) as l on true
            where u.billing_due_at <= clock_timestamp() or u.compute_units_remaining is distinct from l.balance
            """
        ) != [] {
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// R16 for all accounts, the view, and what a rebuild would make of them.
    private func expectSound(_ database: TestDatabase) async throws {
        let wrong = try await database.values(
            """
            select u.email::text from users u
            join account_entitlements e on e.user_id = u.id
            left join lateral (
                select sum(units) as units, (array_agg(balance order by id desc))[1] as balance
                from compute_unit_ledger where user_id = u.id
            ) as l on true
            where (l.units, l.balance, e.compute_units_remaining)
                is distinct from (u.compute_units_remaining, u.compute_units_remaining, u.compute_units_remaining)
                or e.plan_id <> u.subscription_tier
            """)
        #expect(wrong == [])
        let rebuilt = try await Launched.service(database).run(["rebuild", "--check"])
        #expect(rebuilt.status == 0, "\(rebuilt.output)")
    }
}
