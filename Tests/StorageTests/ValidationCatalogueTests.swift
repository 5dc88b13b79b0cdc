import Foundation
import Payloads
import Postgres
import Testing
import TestSupport

@testable import Storage

@Suite struct ValidationCatalogueTests {
    /// With UPDATE_CATALOGUE=1 it writes the file instead; then the program has to be built again.
    @Test(arguments: DatabaseKind.allCases)
    func `the expected catalogue is that of a freshly migrated database`(kind: DatabaseKind) async throws {
        let found = try await kind.withStore { store in
            switch store {
            case let store as PostgresStore:
                try await store.connections.withTransaction { try await PostgresStore.catalogue($0) }
            case let store as SQLiteStore: try await store.read { try SQLiteStore.catalogue($0) }
            default: Catalogue(version: 0, entries: [])
            }
        }
        #expect(Catalogue(text: found.text).text == found.text)
        let name = kind == .postgreSQL ? "db/catalogue.postgresql.txt" : "db/catalogue.sqlite.txt"
        let file = Fixtures.repository.appendingPathComponent(name)
        if ProcessInfo.processInfo.environment["UPDATE_CATALOGUE"] != nil {
            try Data(found.text.utf8).write(to: file)
            return
        }
        let expected = kind == .postgreSQL ? Catalogue.postgreSQL : Catalogue.sqlite
        #expect(try String(contentsOf: file, encoding: .utf8) == expected.text)
        let difference = Set(found.entries).symmetricDifference(expected.entries).map { "\($0)" }.sorted()
        let (old, new) = (expected.version, found.version)
        if old == new {
            #expect(difference.isEmpty, "UPDATE_CATALOGUE=1 make test FILTER=ValidationCatalogueTests")
        }
        #expect(expected.compare(found) == SchemaReport(differences: [], notes: []))
    }

    @Test(
        arguments: [
            ("CHECK  (\"progress\" >= 0)", "check (progress >= 0)"),
            ("lower( Email ) -- why\n = 'It''s  A' /* not\nthis */ ,x", "lower(email) = 'It''s  A', x"),
            ("(status)::text = ANY (ARRAY['a'::varchar])", "(status)::text = any (array['a'::varchar])"),
            ("\"order\".\"Mixed Case\"", "order.\"Mixed Case\""), ("a<>-1", "a <>- 1"), ("'open", "'open"),
            ("set search_path = \"\"", "set search_path = \"\""),
        ])
    func `two spellings of the same SQL are one text`(sql: String, text: String) {
        #expect(SQLText(sql).description == text)
        #expect(SQLText(text).description == text)
    }

    @Test func `servers of other versions may qualify, cast and parenthesize otherwise`() {
        let old = " SELECT u.id FROM users u WHERE ((u.status)::text = 'a'::text);"
        let new = "SELECT id FROM users u WHERE status::text = 'a';"
        #expect(SQLText(old) != SQLText(new))
        #expect(SQLText(old).loosened == SQLText(new).loosened)
        #expect(SQLText(old).loosened != SQLText(new.replacing("'a'", with: "'b'")).loosened)
    }
}
