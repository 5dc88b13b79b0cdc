import Accounts
import Billing
import Databases
import Foundation
import SchemaValidation
import TestSupport
import Testing

@testable import Storage

@Suite struct MaintenanceTests {
    private static let event = """
        insert into webhook_events (body, body_sha256, signature, matched_secret, kind, outcome, test_mode)
        values ('', BYTES, '', 'current', 'other', 'ignored', MODE)
        """

    private func event(_ kind: DatabaseKind, isLive: Bool) -> String {
        let zeros = String(repeating: "00", count: 32)
        return Self.event.replacing("''", with: kind == .sqlite ? "x''" : "''", maxReplacements: 1)
            .replacing("BYTES", with: kind == .sqlite ? "x'\(zeros)'" : "decode('\(zeros)', 'hex')")
            .replacing("MODE", with: kind == .sqlite ? (isLive ? "0" : "1") : (isLive ? "false" : "true"))
    }

    @Test(arguments: DatabaseKind.allCases)
    func `all tables are counted, and what has a status by that`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.execute(
                """
                insert into users (email) values ('ada@example.com'), ('bob@example.com');
                insert into tasks (user_id, name, config, status)
                select u.id, 'a', '{}', s.status
                from users u
                cross join (
                    select 'failed' as status union all select 'pending' union all select 'pending'
                ) as s
                """)
            try await database.execute(event(kind, isLive: false))
            try await database.withStore { store in
                let statistics = try await store.statistics()
                let rows = Dictionary(uniqueKeysWithValues: statistics.tables.map { ($0.name, $0.rows) })
                #expect(rows.count == 23)
                #expect(rows["users"] == 2)
                #expect(rows["tasks"] == 6)
                #expect(rows["task_logs"] == 0)
                #expect(rows["webhook_events"] == 1)
                #expect(statistics.tables.map(\.name) == rows.keys.sorted())
                let tasks = statistics.shares.filter { $0.table == "tasks" }
                #expect(
                    tasks == [
                        .init(table: "tasks", column: "status", value: "pending", rows: 4),
                        .init(table: "tasks", column: "status", value: "failed", rows: 2),
                    ])
                let outcomes = statistics.shares.filter { $0.table == "webhook_events" && $0.column == "outcome" }
                #expect(outcomes == [.init(table: "webhook_events", column: "outcome", value: "ignored", rows: 1)])
                #expect(statistics.size > 10_000)
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `space that deleted rows have left is given free`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let store = try database.open()
            try await database.execute(
                kind == .sqlite
                    ? """
                    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 2000)
                    insert into users (email) select n || '@example.com' from numbers
                    """ : "insert into users (email) select n || '@example.com' from generate_series(1, 2000) n")
            try await database.execute("delete from users")
            let (before, after) = try await store.vacuum()
            #expect(after < before)
            try await store.check()
            await store.close()
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a reset leaves the schema as new, whatever state it was in`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.execute(event(kind, isLive: false))
            try await database.execute(
                """
                insert into users (email) values ('ada@example.com');
                insert into tasks (user_id, name, config) select id, 'a', '{}' from users;
                drop view account_entitlements; drop table task_logs;
                update schema_migrations set checksum = '00'
                """)
            let store = try database.open()
            try await store.reset()
            #expect(try await store.validateSchema() == SchemaReport(differences: [], notes: []))
            #expect(try await store.statistics().tables.filter { $0.rows > 0 }.map(\.name) == Self.neverEmpty)
            // Keys are enforced again.
            await #expect(throws: StoreError.self) {
                _ = try await store.transaction { transaction in
                    try await transaction.insert(
                        OperatorAction(userID: UUID(), kind: .bind(subscription: "1"), reason: nil))
                }
            }
            await store.close()
        }
    }

    private static let neverEmpty = ["catalog_version", "plan_terms", "schema_migrations", "subscription_plans"]

    @Test(arguments: DatabaseKind.allCases)
    func `a database that holds an event of live mode is not reset`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.execute(event(kind, isLive: true))
            let store = try database.open()
            let error = await storeError { try await store.reset() }
            #expect(error == .conflict("an event of live mode is stored: this database is in real use"))
            #expect(try await store.primary.eventRecords(EventFilter(), limit: 9, before: nil).count == 1)
            await store.close()
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `nothing of another program is dropped by a reset`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let id = kind == .sqlite ? "text" : "uuid"
            try await database.execute("create table invoices (user_id \(id) references users (id))")
            try await database.execute("insert into users (email) values ('ada@example.com')")
            let store = try database.open()
            let error = await storeError { try await store.reset() }
            #expect(error == .conflict("something of another program depends on these tables: drop that first"))
            #expect(try await store.primary.users(limit: 9, before: nil).count == 1)
            try await database.execute("drop table invoices; create table invoices (number integer)")
            try await store.reset()
            #expect(try await store.primary.users(limit: 9, before: nil).isEmpty)
            #expect(try await store.validateSchema().notes == ["table invoices is not this program's"])
            await store.close()
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `health tells how long an answer took and how the pool is`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let store = try database.open()
            let health = try await store.health()
            #expect(health.latency > .zero)
            #expect(health.latency < .seconds(60))
            let pool = health.pool.map { [$0.size, $0.idle, $0.leased, $0.waiting] }
            #expect(pool == (kind == .sqlite ? nil : [1, 1, 0, 0]))
            try await database.execute("delete from schema_migrations")
            let error = await storeError { _ = try await store.health() }
            #expect(error == .schema("the schema is not up to date: run `migrate`"))
            await store.close()
        }
    }
}
