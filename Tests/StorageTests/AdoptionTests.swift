import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import SchemaValidation
import Selextract
import TestSupport
import Testing

@testable import Storage

/// Databases that another program made are taken over, and its customers keep what they had.
@Suite(.timeLimit(.minutes(15))) struct AdoptionTests {
    private let policy = BillingPolicy()

    @discardableResult
    private func takeOver(
        _ store: Store, mends: Bool = false, dryRun: Bool = false, grants: Bool = false
    ) async throws -> (adoption: SchemaAdoption, result: AdoptionReport?) {
        let policy = policy
        return try await store.adoptDatabase(mends: mends, dryRun: dryRun) {
            try await Fold($0, policy: policy).adoptAll(grants: grants, by: .local)
        }
    }

    private func withForeign(
        _ more: String = "", _ body: (TestDatabase, Store) async throws -> Void
    ) async throws {
        try await DatabaseKind.postgreSQL.withDatabase(migrated: false) { database in
            try await database.execute(CreateAll.tables + CreateAll.rows + more)
            let store = try database.open()
            do {
                try await body(database, store)
                await store.close()
            } catch {
                await store.close()
                throw error
            }
        }
    }

    /// Tier and units of each account, by e-mail.
    private func accounts(_ database: TestDatabase) async throws -> [String] {
        try await database.values(
            """
            select split_part(email, '@', 1) || ' ' || coalesce(subscription_tier, '-') || ' '
                || coalesce(compute_units_remaining::text, '-')
            from users order by id
            """)
    }

    /// That the view says what the accounts' rows say.
    private func disagreements(_ database: TestDatabase) async throws -> [String] {
        try await database.values(
            """
            select u.email::text from users u join account_entitlements e on e.user_id = u.id
            where u.subscription_tier <> e.plan_id or u.compute_units_remaining <> e.compute_units_remaining
                or u.compute_units_reset_date <> e.compute_units_reset_date
            """)
    }

    private static let kept = [
        "active professional 300", "on_trial professional 301", "past_due professional 302",
        "cancelled professional 303", "unpaid free 40", "expired free 40", "paused free 40",
    ]

    @Test func `what create_all makes is refused with a word, and taken over whole`() async throws {
        try await withForeign { database, store in
            let refused = await storeError { try await store.migrate() }
            #expect(refused?.description.contains("`migrate --adopt` takes them over") == true)
            let users = try await database.values("select 'users'::regclass::oid::text")

            let (adoption, report) = try await takeOver(store)
            #expect(adoption.tables.count == 7)
            #expect(adoption.refusals == [])
            #expect(report?.adopted.count == 7)
            #expect(report?.complimentary.map(\.email) == ["friend@example.com"])
            #expect(try await store.validateSchema().differences.map(\.sentence) == [])
            try await store.check()
            #expect(try await store.migrate() == [])
            // The same tables, with what is not ours.
            #expect(try await database.values("select 'users'::regclass::oid::text") == users)
            #expect(try await database.values("select celery_task_id from tasks") == ["celery-1"])
            #expect(try await database.values("select 'ix_tasks_celery_task_id'::regclass::text").count == 1)
            #expect(try await database.values("select version_num from alembic_version") == ["abc"])
            #expect(try await database.values("select status from tasks") == ["pending"])
            #expect(try await database.values("select key_hash from api_keys where is_active") == ["hash"])
            #expect(
                try await database.values(
                    "select lemon_squeezy_variant_id from subscription_plans where id = 'professional'") == ["888"])
            // Before any clock has run, and after it.
            #expect(try await accounts(database).prefix(7) == Self.kept[...])
            #expect(try await Tick(store, policy: policy).run().failures == 0)
            #expect(
                try await accounts(database)
                    == Self.kept + ["friend professional 4000", "nobody free 100"])
            #expect(try await disagreements(database) == ["friend@example.com"])
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
            #expect(
                try await database.values("select distinct source || outcome from webhook_events") == ["adoptedapplied"]
            )
        }
    }

    @Test func `a dry run says the same, and changes nothing`() async throws {
        try await withForeign { database, store in
            let before = try PostgresProgram.dump(database, withRows: true)
            let (adoption, report) = try await takeOver(store, dryRun: true, grants: true)
            #expect(report?.adopted.count == 7)
            #expect(report?.granted.count == 1)
            let count = try await store.migrations().count
            #expect(adoption.migrations.count == count)
            #expect(try PostgresProgram.dump(database, withRows: true) == before)
        }
    }

    @Test func `a life goes on with the provider's own events`() async throws {
        try await withForeign { database, store in
            try await takeOver(store)
            let start = try #require(try await store.subscription("920000")?.currentPeriodStart)
            var subscription = ProviderSubscription(
                userID: nil, createdAt: start.adding(months: -3).addingTimeInterval(-6),
                renewsAt: start.adding(months: 1).addingTimeInterval(-6))
            (subscription.id, subscription.variantID) = ("920000", "888")
            let decisions = try await store.receive([
                subscription.event("subscription_updated", at: Date.now.wholeSeconds)
            ])
            #expect(decisions.map(\.outcome) == [.applied])
            let user = try #require(UUID(uuidString: CreateAll.user(0)))
            #expect(try await store.user(id: user)?.subscriptionTier == "professional")
            #expect(try await store.user(id: user)?.computeUnitsRemaining == 300)
            #expect(try await disagreements(database) == ["friend@example.com"])
            // What its row had said is told by an invoice: it moves the period's begin, and gives nothing twice.
            let paid = subscription.invoice(id: 7_400_001, reason: "renewal", createdAt: Date.now.wholeSeconds)
            #expect(try await store.receive([paid]).map(\.outcome) == [.applied])
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
            let ledger = try await store.ledger(user: user)
            #expect(ledger.reduce(0) { $0 + $1.entry.units } == 300)
        }
    }

    @Test func `a complimentary plan becomes a granted one when it is asked for`() async throws {
        try await withForeign { database, store in
            #expect(try await takeOver(store, grants: true).result?.granted.map(\.planID) == ["professional"])
            _ = try await Tick(store, policy: policy).run()
            #expect(try await disagreements(database) == [])
            #expect(
                try await database.values(
                    "select source from user_subscriptions where user_id = '\(CreateAll.user(20))'")
                    == ["granted"])
            #expect(try await takeOver(store, grants: true).result?.granted.count == 0)
        }
    }

    private static let broken = """
        update users set compute_units_remaining = -5 where email = 'unpaid@example.com';
        insert into tasks (id, user_id, name, config, status)
        select '00000000-0000-4000-8000-000000000701', id, 'odd', '{}', 'PENDING' from users limit 1;
        insert into tasks (id, user_id, name, config, status)
        select '00000000-0000-4000-8000-000000000702', id, 'odder', '{}', 'gone' from users limit 1;
        insert into user_subscriptions (
            id, user_id, plan_id, lemon_squeezy_subscription_id, status, current_period_start, current_period_end,
            updated_at
        )
        select '00000000-0000-4000-8000-000000000703', user_id, plan_id, lemon_squeezy_subscription_id, 'active',
            current_period_start, current_period_end, now() - interval '1 year'
        from user_subscriptions where lemon_squeezy_subscription_id = '920000';
        insert into usage_analytics (id, user_id, date, api_calls)
        select '00000000-0000-4000-8000-000000000704', user_id, date, 4 from usage_analytics;
        """

    @Test func `rows that are refused are listed with their ids, and mended only if asked for`() async throws {
        try await withForeign(Self.broken) { database, store in
            let before = try PostgresProgram.dump(database, withRows: true)
            let refused = try await takeOver(store)
            #expect(refused.result == nil)
            let found = refused.adoption.refusals
            #expect(
                found.map { "\($0.table) \($0.problem)" } == [
                    "users compute_units_remaining is less than 0", "tasks status is not known",
                    "user_subscriptions lemon_squeezy_subscription_id is that of another row",
                    "usage_analytics user_id and date are those of another row",
                ])
            #expect(found.allSatisfy { $0.mend != nil })
            #expect(found[0].ids == [CreateAll.user(4)])
            #expect(found[1].ids.map { $0.suffix(3) } == ["701", "702"])
            #expect(found[2].ids.map { $0.suffix(3) } == ["703"])
            #expect(try PostgresProgram.dump(database, withRows: true) == before)
            #expect(try await database.values("select count(*)::text from tasks where status = 'gone'") == ["1"])

            let mended = try await takeOver(store, mends: true)
            #expect(mended.adoption.refusals == found)
            #expect(mended.result?.adopted.count == 7)
            #expect(try await store.validateSchema().differences.map(\.sentence) == [])
            #expect(
                try await database.values("select status from tasks where name like 'odd%' order by name")
                    == ["pending", "failed"])
            #expect(
                try await database.values("select api_calls::text from usage_analytics") == ["7"])
            #expect(
                try await database.values(
                    "select status from user_subscriptions where id = '00000000-0000-4000-8000-000000000703'")
                    == ["expired"])
            #expect(try await accounts(database)[4] == "unpaid free 0")
        }
    }

    @Test func `what a person has to decide is not mended`() async throws {
        try await withForeign("drop index ix_users_email; update users set email = 'one@example.com' where email < 'b'")
        {
            database, store in
            try await database.execute(
                "insert into users (id, email) values (gen_random_uuid(), 'one@example.com')")
            let refused = try await takeOver(store, mends: true)
            #expect(refused.result == nil)
            #expect(refused.adoption.refusals.map(\.problem) == ["email is that of another row"])
            await #expect(throws: StoreError.self) { try await store.check() }
        }
    }

    @Test func `who holds a table is named after a while, and nothing was done`() async throws {
        try await withForeign { database, store in
            let driver = try #require(store.driver as? PostgresDriver)
            try await database.withLock("set application_name = 'their api'; lock table tasks in share mode") {
                let held = await storeError {
                    _ = try await driver.adopt(
                        PostgresDriver.plan, mends: false, dryRun: false, lockTimeout: .milliseconds(200)
                    ) { _ in true }
                }
                guard case .busy(let reason) = held else {
                    Issue.record("\(String(describing: held))")
                    return
                }
                #expect(reason.contains("(their api) has held a table"))
            }
            #expect(try await takeOver(store).result?.adopted.count == 7)
        }
    }

    @Test func `data that is copied into a schema of ours is taken over likewise`() async throws {
        try await DatabaseKind.postgreSQL.withDatabases(migrated: false) { ours, theirs in
            try await theirs.execute(
                CreateAll.tables + CreateAll.rows
                    + "alter table tasks drop column celery_task_id; drop table alembic_version;"
                        // What a column that is not null with us would refuse.
                        + """
                        update users set is_active = true, subscription_tier = coalesce(subscription_tier, 'free'),
                            compute_units_remaining = coalesce(compute_units_remaining, 100),
                            compute_units_reset_date = coalesce(compute_units_reset_date, now());
                        update subscription_plans set is_active = true;
                        update user_subscriptions set cancel_at_period_end = false,
                            current_period_start = coalesce(current_period_start, now()),
                            current_period_end = coalesce(current_period_end, now());
                        update api_keys set is_active = true;
                        update usage_analytics set tasks_executed = 0, compute_units_used = 0;
                        update tasks set task_type = 'simple_scraping', status = 'pending', priority = 0,
                            compute_units_consumed = 0, estimated_compute_units = 1, progress = 0;
                        """)
            let dump = try PostgresProgram.run("pg_dump", ["--data-only", "--column-inserts", theirs.url])
                .split(separator: "\n").filter { $0.hasPrefix("INSERT") }.joined(separator: "\n")
            try await ours.execute("delete from subscription_plans where id in ('free', 'professional');" + dump)
            try await ours.withStore { store in
                let report = try await Tick(store, policy: policy).run()
                #expect(report.adopted == 7 && report.failures == 0)
                #expect(try await accounts(ours).prefix(7) == Self.kept[...])
                #expect(try await disagreements(ours) == ["friend@example.com"])
                #expect(try await store.validateSchema().differences.map(\.sentence) == [])
            }
        }
    }
}
