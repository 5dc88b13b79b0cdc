import Accounts
import Billing
import Foundation
import Payloads
import SchemaValidation
import Storage
import TestSupport
import Testing

/// A PostgreSQL database that went through the server's own dump and restore.
@Suite struct RestoreTests {
    enum Way: CaseIterable {
        case plain, custom, plainDataOnly, customDataOnly

        var isDataOnly: Bool { self == .plainDataOnly || self == .customDataOnly }
        var isPlain: Bool { self == .plain || self == .plainDataOnly }
    }

    private let policy = BillingPolicy()

    /// Without statistics, as a restored database is until it is analyzed.
    private func restore(_ database: TestDatabase, into other: TestDatabase, _ way: Way) async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("dump-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        var arguments = [way.isPlain ? "-Fp" : "-Fc", "-f", file, database.url]
        if way.isDataOnly {
            arguments += ["--data-only"] + (way.isPlain ? ["--disable-triggers"] : [])
            // What a migration puts in comes with the data.
            try await other.execute("truncate catalog_version, subscription_plans, schema_migrations cascade")
        }
        _ = try PostgresProgram.run("pg_dump", arguments)
        if way.isPlain {
            _ = try PostgresProgram.run("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, other.url])
        } else {
            let further = way.isDataOnly ? ["--data-only", "--disable-triggers"] : []
            _ = try PostgresProgram.run(
                "pg_restore", ["--no-owner", "--exit-on-error", "-d", other.url] + further + [file])
        }
    }

    @Test(arguments: Way.allCases)
    func `a database that was dumped and restored is the same, and goes on`(way: Way) async throws {
        let clock = TestClock(afterPurchase)
        try await DatabaseKind.postgreSQL.withDatabases(migrated: way.isDataOnly) { database, restored in
            var purchase = ProviderSubscription.purchase()
            let before = try await database.withStore(clock: clock) { store in
                try await store.prepare()
                try await store.adopt(policy, host: "here")
                try await store.receive(try Fixtures.scenario("first-purchase").map(\.body))
                try await store.receive([undecodable(purchase)])
                _ = try await Tick(store, policy: policy).run()
                return try await store.picture(of: ada)
            }
            try await restore(database, into: restored, way)
            let store = try restored.open(clock: clock)
            #expect(try await store.migrate() == [])
            let report = try await store.validateSchema()
            #expect(report.differences.map(\.sentence) == [])
            #expect(report.notes == [])
            let check = try await Rebuild(store, policy: policy).run(check: true)
            #expect(check.events == 5 && check.differences == [] && check.failures == [])
            #expect(try await store.picture(of: ada) == before)

            clock.set(.utc("2026-10-20 00:00:00"))
            purchase.variantID = "102"
            let receipt = try await store.receive([purchase.event("subscription_updated", at: clock.now)])[0]
            #expect(receipt.outcome == .applied)
            _ = try await Tick(store, policy: policy).run()
            #expect(try await store.picture(of: ada).tier == "professional")
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
            await store.close()
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an event that cannot be read is no difference`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            let purchase = ProviderSubscription.purchase()
            try await store.receive([purchase.event0])
            // Alone, after the others: whose it is was not asked yet.
            let receipt = try await store.receive([undecodable(purchase)])[0]
            #expect(receipt.outcome == .parked)
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
            _ = try await Rebuild(store, policy: policy).run(check: false)
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
            #expect(try await store.eventRecord(receipt.eventID)?.outcome == .parked)
        }
    }

    @Test func `a check that says something else than ours is still noticed after a restore`() async throws {
        try await DatabaseKind.postgreSQL.withDatabases(migrated: false) { database, restored in
            try await database.withStore { _ in }
            try await database.execute(
                """
                alter table task_logs drop constraint task_logs_level_check,
                    add constraint task_logs_level_check check (level in ('debug', 'info', 'warning'))
                """)
            try await restore(database, into: restored, .custom)
            let store = try restored.open()
            let differences = try await store.validateSchema().differences
            #expect(Set(differences.map(\.problem)) == [.missing, .unexpected])
            #expect(differences.count == 2 && differences.allSatisfy { $0.table == "task_logs" })
            await store.close()
        }
    }
}

/// A change of the subscription that is dated in the year 9999.
private func undecodable(_ subscription: ProviderSubscription) -> [UInt8] {
    var subscription = subscription
    subscription.renewsAt = .utc("9999-12-31 00:00:00")
    return subscription.event("subscription_updated", at: .utc("2026-10-12 09:45:00"))
}
