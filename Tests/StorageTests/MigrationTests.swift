import Foundation
import Payloads
import Schema
import Storage
import TestSupport
import Testing

@Suite struct MigrationTests {
    @Test(arguments: DatabaseKind.allCases)
    func `an empty database is migrated once`(kind: DatabaseKind) async throws {
        try await kind.withDatabase(migrated: false) { database in
            let store = try database.open()
            #expect(try await store.migrations().map(\.appliedAt) == [nil])
            let early = await storeError { try await store.check() }
            #expect(early == .schema("the schema is not up to date: run `migrate`"))
            guard case .schema = await storeError({ _ = try await store.plans() }) else {
                Issue.record("a missing table is not told from other failures")
                return
            }
            #expect(try await store.migrate() == [AppliedMigration(version: 1, name: "init")])
            #expect(try await store.migrate() == [])
            try await store.check()
            let status = try await store.migrations()
            #expect(status.map(\.version) == [1])
            #expect(abs(try #require(status[0].appliedAt).timeIntervalSinceNow) < 60)
            await store.close()
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `of several that migrate at once one does it`(kind: DatabaseKind) async throws {
        try await kind.withDatabase(migrated: false) { database in
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let store = try database.open()
                        let applied = try await store.migrate()
                        await store.close()
                        return applied.count
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(applied == 1)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an edited migration and a newer database are refused`(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let store = try database.open()
            try await database.execute("update schema_migrations set checksum = '00'")
            for error in [
                await storeError { try await store.check() }, await storeError { try await store.migrate() },
            ] {
                #expect(error == .schema("migration 1 (init) was changed after it had been applied"))
            }
            // As if the file itself had made the schema: the program takes it over.
            try await database.execute("update schema_migrations set checksum = null")
            try await store.migrate()
            let checksums = try await database.values("select checksum from schema_migrations")
            #expect(checksums.map(\.count) == [64])
            try await database.execute("insert into schema_migrations (version, name) values (99, 'future')")
            for error in [
                await storeError { try await store.check() }, await storeError { try await store.migrate() },
            ] {
                #expect(error == .schema("the database is newer than this program: it has migration 99"))
            }
            await store.close()
        }
    }

    @Test func `psql twice and migrate dump to the same schema`() async throws {
        let file = Fixtures.repository.appendingPathComponent("db/init.sql").path
        let byHand = try await DatabaseKind.postgreSQL.withDatabase(migrated: false) { database in
            for _ in 0..<2 {
                _ = try PostgresProgram.run("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, database.url])
            }
            try await database.withStore { try await $0.check() }
            return try PostgresProgram.dump(database)
        }
        let byProgram = try await DatabaseKind.postgreSQL.withDatabase { try PostgresProgram.dump($0) }
        #expect(byHand == byProgram)
        #expect(byHand.contains("CREATE TABLE public.webhook_events"))
    }
}

/// The server's own programs.
enum PostgresProgram {
    struct Failure: Error {
        var program: String
        var status: Int32
    }

    static func run(_ program: String, _ arguments: [String]) throws -> String {
        let folder = try #require(ProcessInfo.processInfo.environment["TEST_POSTGRES_BIN"], "run make test")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: folder).appendingPathComponent(program)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(program: program, status: process.terminationStatus)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Without the random key that newer versions put around a dump.
    static func dump(_ database: TestDatabase) throws -> String {
        try run("pg_dump", ["--schema-only", "--no-owner", database.url]).split(separator: "\n")
            .filter { !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict") }.joined(separator: "\n")
    }
}
