import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// What other programs may write although nobody would expect it: nothing is lost, and nothing stands still.
@Suite struct ForeignWriteTests {
    private let policy = BillingPolicy()
    private let adaID = ada.uuidString.lowercased()

    private static func recreation(_ kind: DatabaseKind) -> [String] {
        let insertion = "insert into users (id, email) values ('\(ada.uuidString.lowercased())', 'ada@example.com')"
        let apart = "delete from users; \(insertion)"
        // SQLite's own way to do both at once runs no trigger.
        return kind == .sqlite ? [apart, insertion.replacing("insert", with: "insert or replace")] : [apart]
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an account that is deleted and made again has what it had bought`(kind: DatabaseKind) async throws {
        for recreation in Self.recreation(kind) {
            let clock = TestClock(afterPurchase)
            try await kind.withDatabase { database in
                try await database.withStore(clock: clock) { store in
                    try await store.prepare()
                    try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
                    try await database.execute(recreation)
                    // The other program's row is of the database's time.
                    clock.set(Date.now + 60)
                    _ = try await Tick(store, policy: policy).run()
                    let picture = try await store.picture(of: ada)
                    #expect((picture.tier, picture.units) == ("starter", 1000))
                    #expect(picture.subscriptions.count == 1)
                    #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
                }
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an account that is deleted here leaves its events waiting, and nothing else`(kind: DatabaseKind) async throws
    {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
            try await store.deleteAccount(ada, policy: policy)
            #expect(try await store.user(id: ada) == nil)
            #expect(try await store.subscription("910001") == nil)
            var parked = EventFilter()
            (parked.outcome, parked.reason) = (.parked, "unknown_account")
            #expect(try await store.primary.eventRecords(parked, limit: 9, before: nil).count == 3)
            let again = await storeError { try await store.deleteAccount(ada, policy: policy) }
            #expect(again == .notFound("account “\(adaID)”"))
            _ = try await store.createAccount(email: "ada@example.com", id: ada, policy: policy)
            #expect(try await store.user(id: ada)?.computeUnitsRemaining == 1000)
        }
    }

    static let times = [
        "2026-10-12 09:30:04", "2026-10-12 09:30:04.123456", "2026-10-12T09:30:04.5", "2026-10-12 09:30:04+00:00",
        "2026-10-12T11:30:04.123+02:00", "2026-10-12T09:30", "2026-10-12T09:30Z", "2026-10-12",
    ]

    /// SQLite holds times as text, whatever it looks like.
    @Test(arguments: times)
    func `on SQLite times are read as other programs write them, and paged by`(time: String) async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await database.execute(
                (0..<5).map { "insert into users (email, created_at) values ('\($0)@example.com', '\(time)');" }
                    .joined()
                        + """
                        update users set compute_units_reset_date = '\(time)';
                        insert into tasks (user_id, name, config, created_at, started_at)
                        select id, 'scrape', '{}', '\(time)', '\(time)' from users;
                        update subscription_plans set created_at = '\(time)'
                        """)
            try await database.withStore { store in
                var seen: [User] = []
                while true {
                    let cursor = seen.last.map { Cursor(at: $0.createdAt, id: $0.id) }
                    let page = try await store.primary.users(limit: 2, before: cursor)
                    if page.isEmpty { break }
                    seen += page
                    try #require(seen.count <= 5, "a page came again")
                }
                #expect(Set(seen.map(\.id)).count == 5)
                let moment = try #require(seen.first?.createdAt.timeIntervalSince1970)
                #expect(abs(moment - Date.utc("2026-10-12 09:30:04").timeIntervalSince1970) <= 34_204)
                #expect(try await Tick(store, policy: policy).run().failures == 0)
                let user = seen[0].id
                let task = try #require(try await store.primary.tasks(of: user, logs: 1, limit: 1, before: nil).first)
                #expect(task.task.startedAt == task.task.createdAt)
                #expect(try await store.primary.plans().count == 4)
            }
        }
    }

    @Test func `on PostgreSQL a time may be infinite`() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await database.withStore { store in
                try await store.prepare()
                for date in ["infinity", "-infinity"] {
                    try await database.execute("update users set compute_units_reset_date = '\(date)'")
                    let shown = try #require(try await store.primary.users(limit: 9, before: nil).first)
                    #expect(shown.computeUnitsResetDate == (date == "infinity" ? .distantFuture : .distantPast))
                    try await store.transaction { _ = try await Fold($0, policy: policy).refresh(users: [ada]) }
                    let folded = try #require(try await store.user(id: ada))
                    #expect(folded.computeUnitsResetDate > folded.createdAt)
                    #expect(folded.computeUnitsResetDate < .distantFuture)
                }
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `as many units as the column holds are held, and not one more`(kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                var subscription = ProviderSubscription.purchase()
                try await store.receive([subscription.event0])
                for _ in 0..<3 {
                    try await database.execute("update users set compute_units_remaining = 2147483647")
                    subscription.variantID = subscription.variantID == "101" ? "102" : "101"
                    clock.advance(by: 60)
                    let changed = subscription.event("subscription_updated", at: clock.now)
                    #expect(try await store.receive([changed])[0].outcome == .applied)
                    #expect(
                        (2_147_000_000...2_147_483_647).contains(
                            try await store.user(id: ada)?.computeUnitsRemaining ?? 0))
                    try await store.consumeComputeUnits(1000, for: UUID(), of: ada, policy: policy)
                }
                let ledger = try await store.ledger(user: ada)
                let shown = try #require(try await store.user(id: ada)).computeUnitsRemaining
                #expect(ledger.reduce(0) { $0 + $1.entry.units } == shown)
                #expect(try await store.entitlement(user: ada)?.computeUnitsRemaining == shown)
                await #expect(throws: UnitRefusal.invalid(units: .max)) {
                    try await store.addComputeUnits(.max, to: ada, reason: "test", policy: policy)
                }
            }
        }
    }

    @Test func `on SQLite greater numbers are taken for the greatest`() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                try await database.execute(
                    """
                    update subscription_plans set monthly_compute_units = 9223372036854775807, price_cents = 1e18;
                    update users set compute_units_remaining = 9223372036854775807
                    """)
                let greatest = 2_147_483_647
                #expect(try await store.user(id: ada)?.computeUnitsRemaining == greatest)
                let plans = try await store.primary.plans()
                #expect(plans.map(\.monthlyComputeUnits) == Array(repeating: greatest, count: 4))
                #expect(plans.map(\.priceCents) == Array(repeating: greatest, count: 4))
                try await store.receive([ProviderSubscription.purchase().event0])
                #expect(try await Tick(store, policy: policy).run().failures == 0)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a task whose configuration holds what Swift cannot hold is listed and ends`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore { store in
                try await store.prepare()
                for config in ["{\"n\": 1e400}", "[\(String(repeating: "9", count: 400))]", "null", "7"] {
                    let id = UUID()
                    try await database.execute(
                        """
                        insert into tasks (id, user_id, name, config)
                        values ('\(id.uuidString.lowercased())', '\(adaID)', 'odd', '\(config)')
                        """)
                    try await store.startTask(id, of: ada)
                    #expect(try await store.completeTask(id, of: ada, policy: policy).status == .completed)
                    #expect(try await store.task(id, of: ada)?.status == .completed)
                }
                #expect(try await store.primary.tasks(of: ada, logs: 1, limit: 9, before: nil).count == 4)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a provider's row that was moved to another account goes back`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                try await store.receive([ProviderSubscription.purchase().event0])
                let before = try await store.picture(of: ada)
                _ = try await store.createUser(email: "bob@example.com", id: bob)
                try await database.execute("update user_subscriptions set user_id = '\(bob.uuidString.lowercased())'")
                _ = try await Tick(store, policy: policy).run()
                #expect(try await store.picture(of: ada) == before)
                #expect(try await store.primary.subscriptions(user: bob, limit: 9, before: nil) == [])
                #expect(try await store.entitlement(user: ada)?.planID == "starter")
            }
        }
    }

    /// Whatever is asked for first, the clock or that account's task.
    @Test(arguments: DatabaseKind.allCases)
    func `a task is not charged to a provider's row that was moved to its account`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                try await store.receive([ProviderSubscription.purchase().event0])
                let before = try await store.picture(of: ada)
                _ = try await store.createAccount(NewUser(id: bob, email: "bob@example.com"), policy: policy)
                try await database.execute("update user_subscriptions set user_id = '\(bob.lowercased)'")
                let entry = try await store.transaction {
                    try await Fold($0, policy: policy).grant(
                        UnitRequest(userID: bob, kind: .consume(task: UUID(), inFull: false), units: 30))
                }
                #expect((entry.line, entry.balance) == (.free, 70))
                #expect(try await store.picture(of: ada) == before)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what was changed from outside goes with a subscription that changes hands`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                _ = try await store.createUser(email: "bob@example.com", id: bob)
                try await store.receive([ProviderSubscription.purchase().event0])
                try await database.execute(
                    "update users set compute_units_remaining = 600 where email = 'ada@example.com'")
                try await store.bind(subscription: "910001", to: bob, reason: nil, policy: policy)
                #expect(try await store.user(id: bob)?.computeUnitsRemaining == 600)
                #expect(try await store.user(id: ada)?.computeUnitsRemaining == 100)
                #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
            }
        }
    }
}

/// What is held or broken stands in nobody else's way.
@Suite struct ObstacleTests {
    private let policy = BillingPolicy()

    @Test func `what another transaction holds is left out by the clock, and waited for in vain by who asks for it`()
        async throws
    {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            let store = try database.open { $0.lockTimeout = .milliseconds(50) }
            for number in 0..<6 { _ = try await store.createUser(email: "\(number)@example.com", id: nil) }
            try await database.withLock("select from users where email = '3@example.com' for update") {
                let report = try await Tick(store, policy: policy, chunk: 2).run()
                #expect(report.failures == 0)
                let due = try await database.values("select email from users where billing_valid_from is null")
                #expect(due == ["3@example.com"])
                let held = try #require(try await store.users(email: "3@example.com").first)
                let refused = await storeError {
                    _ = try await store.createTask(.named("n"), for: held.id, policy: policy)
                }
                guard case .busy? = refused else {
                    Issue.record("\(String(describing: refused))")
                    return
                }
            }
            #expect(try await Tick(store, policy: policy).run().accounts == 1)
            await store.close()
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `accounts that cannot be saved do not keep the clock from those behind them`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                for number in 0..<5 {
                    _ = try await store.createUser(email: "broken\(number)@example.com", id: nil)
                    clock.advance(by: 1)
                }
                _ = try await store.createUser(email: "whole@example.com", id: nil)
                try await database.execute(
                    kind == .postgreSQL
                        ? """
                        create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
                        create trigger refuse before update on users for each row when (old.email like 'broken%')
                        execute function refuse()
                        """
                        : """
                        create trigger refuse before update on users when old.email like 'broken%'
                        begin select raise(abort, 'no'); end
                        """)
                let report = try await Tick(store, policy: policy, chunk: 2).run()
                #expect((report.failures, report.accounts) == (5, 1))
                #expect(
                    try await store.ledger(user: try await store.users(email: "whole@example.com")[0].id).count == 1)
            }
        }
    }
}
