import Foundation
import SchemaValidation
import Storage
import TestSupport
import Testing

/// Alembic, which another program's schema is kept by, on the same database.
@Suite struct MigrationToolTests {
    @Test("Alembic with the filter of the README finds nothing to do, and without it much to drop")
    func alembic() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            let python = try Launched.python(database)
            let alembic = ["-m", "alembic", "-c", "alembic.ini"]
            let filtered = try await python.run(alembic + ["check"])
            #expect(filtered.status == 0, "\(filtered.output) \(filtered.errors)")
            #expect(filtered.output.contains("No new upgrade operations detected"))
            let everything = try await python.run(alembic + ["-x", "everything=yes", "check"])
            #expect(everything.status != 0)
            #expect((everything.output + everything.errors).contains("webhook_events"))
        }
    }

    @Test("psycopg2 runs init.sql as one string, twice, and what is there then is the program's schema")
    func initialization() async throws {
        try await DatabaseKind.postgreSQL.withDatabase(migrated: false) { database in
            let python = try Launched.python(database)
            let file = Repository.root.appendingPathComponent("db/init.sql").path
            for _ in 0..<2 { _ = try await python.output(["initialize.py", file]) }
            let store = try database.open()
            #expect(try await store.pendingMigrations().isEmpty)
            #expect(try await store.validateSchema().differences.isEmpty)
            await store.close()
        }
    }

    @Test("The README's Python is that which is tested, word for word", arguments: ["units.py", "include_object.py"])
    func readme(_ file: String) throws {
        let blocks = try Repository.text("README.md").split(separator: "```python\n").dropFirst()
            .compactMap { $0.split(separator: "```").first.map(String.init) }
        #expect(blocks.contains(try Repository.text("Tests/Neighbours/python/\(file)")))
    }
}
