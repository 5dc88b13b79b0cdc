import Databases
import Foundation
import Schema
import SchemaValidation
import TestSupport
import Testing

@testable import Storage

/// Migrations after the program's own.
@Suite struct MigrationOrderTests {
    /// The program's own.
    private static let own = Schema.postgreSQL.map(\.version)
    private static let last = own.count

    private static let column = Schema.Migration(
        version: last + 1, name: "nickname",
        sql: """
            alter table users add column nickname text;
            update users set nickname = email;
            """)
    private static let table = Schema.Migration(
        version: last + 2, name: "notes", sql: "create table notes (id integer primary key, nickname text)")
    private static let broken = Schema.Migration(
        version: last + 3, name: "broken",
        sql: "create table more (id integer primary key); insert into nowhere values (1);")

    private func withStore(
        _ database: TestDatabase, _ further: [Schema.Migration], _ body: (Store) async throws -> Void
    ) async throws {
        let configuration = DatabaseConfiguration(url: database.url)
        let store: Store
        switch database.kind {
        case .postgreSQL:
            let plan = MigrationPlan(known: Schema.postgreSQL + further)
            store = Store(PostgresDriver(configuration), plan: plan)
        case .sqlite:
            let plan = MigrationPlan(known: Schema.sqlite + further)
            store = Store(try SQLiteDriver(configuration), plan: plan)
        }
        do {
            try await body(store)
            await store.close()
        } catch {
            await store.close()
            throw error
        }
    }

    @Test func `the program's own are numbered from 1 without gaps, the same on both databases`() {
        #expect(Schema.postgreSQL.map(\.version) == Array(1...Schema.postgreSQL.count))
        #expect(Schema.sqlite.map(\.version) == Schema.postgreSQL.map(\.version))
        #expect(Schema.sqlite.map(\.name) == Schema.postgreSQL.map(\.name))
        #expect((Schema.postgreSQL + Schema.sqlite).allSatisfy { !$0.sql.isEmpty })
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an empty database gets all of them in order`(kind: DatabaseKind) async throws {
        try await kind.withDatabase(migrated: false) { database in
            try await withStore(database, [Self.column, Self.table]) { store in
                #expect(try await store.migrate().map(\.version) == Self.own + [Self.last + 1, Self.last + 2])
                #expect(try await store.migrate() == [])
                try await store.check()
                #expect(
                    try await store.migrations().map(\.name) == Schema.postgreSQL.map(\.name) + ["nickname", "notes"])
                let moments = try await store.migrations().map(\.appliedAt)
                #expect(!moments.contains(nil))
            }
            let checksums = try await database.values("select distinct checksum from schema_migrations")
            #expect(checksums.count == Self.last + 2)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a schema with rows in it is brought forward, and they stay`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.execute("insert into users (email) values ('ada@example.com'), ('bob@example.com')")
            try await withStore(database, [Self.column, Self.table]) { store in
                let early = await storeError { try await store.check() }
                #expect(early == .schema("the schema is not up to date: run `migrate`"))
                let report = try await store.validateSchema()
                #expect(
                    report.differences.map(\.sentence) == [
                        "migration \(Self.last + 1) (nickname) has not been applied",
                        "migration \(Self.last + 2) (notes) has not been applied",
                    ])
                let pending = try await store.migrations().filter { $0.appliedAt == nil }
                #expect(pending.map(\.version) == [Self.last + 1, Self.last + 2])
                #expect(try await store.migrate().map(\.version) == [Self.last + 1, Self.last + 2])
                #expect(try await store.primary.users(limit: 9, before: nil).count == 2)
            }
            let names = try await database.values("select nickname from users order by 1")
            #expect(names == ["ada@example.com", "bob@example.com"])
            // The program without them.
            try await database.withStoreUnmigrated { store in
                let error = await storeError { try await store.migrate() }
                #expect(error == .schema("the database is newer than this program: it has migration \(Self.last + 1)"))
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `one that fails leaves nothing, and those before it stay`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await withStore(database, [Self.column, Self.table, Self.broken]) { store in
                await #expect(throws: StoreError.self) { try await store.migrate() }
                let applied = try await store.migrations().map { $0.appliedAt != nil }
                #expect(applied == Self.own.map { _ in true } + [true, true, false])
            }
            // Mended, since it was never applied.
            let mended = Schema.Migration(
                version: Self.last + 3, name: "mended", sql: "create table more (id integer primary key)")
            try await withStore(database, [Self.column, Self.table, mended]) { store in
                #expect(try await store.migrate() == [AppliedMigration(version: Self.last + 3, name: "mended")])
                try await store.check()
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an edited, a skipped and an unknown one are refused`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await withStore(database, [Self.column, Self.table]) { try await $0.migrate() }
            let edited = Schema.Migration(version: Self.last + 1, name: "nickname", sql: Self.column.sql + " ")
            let cases: [([Schema.Migration], String)] = [
                ([edited, Self.table], "migration \(Self.last + 1) (nickname) was changed after it had been applied"),
                ([Self.table], "the database has migration \(Self.last + 1), which this program does not know"),
                ([Self.column], "the database is newer than this program: it has migration \(Self.last + 2)"),
            ]
            for (further, sentence) in cases {
                try await withStore(database, further) { store in
                    let errors = [
                        await storeError { try await store.check() }, await storeError { try await store.migrate() },
                    ]
                    #expect(errors == [.schema(sentence), .schema(sentence)])
                    let differences = try await store.validateSchema().differences.map(\.sentence)
                    #expect(differences.contains(sentence))
                }
            }
            try await database.execute("delete from schema_migrations where version = \(Self.last + 1)")
            try await withStore(database, [Self.column, Self.table]) { store in
                let error = await storeError { try await store.migrate() }
                #expect(
                    error
                        == .schema(
                            "migration \(Self.last + 1) (nickname) is missing, although \(Self.last + 2) has been applied"
                        ))
            }
        }
    }
}

extension TestDatabase {
    fileprivate func withStoreUnmigrated(_ body: (Store) async throws -> Void) async throws {
        let store = try open()
        do {
            try await body(store)
            await store.close()
        } catch {
            await store.close()
            throw error
        }
    }
}
