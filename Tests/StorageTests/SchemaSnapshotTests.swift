import Databases
import Foundation
import Payloads
import SchemaValidation
import TestSupport
import Testing

@testable import Storage

@Suite struct SchemaSnapshotTests {
    /// With UPDATE_SNAPSHOT=1 it writes the file instead; then the program has to be built again.
    @Test(arguments: DatabaseKind.allCases)
    func `the expected snapshot is that of a freshly migrated database`(kind: DatabaseKind) async throws {
        let found = try await kind.withStore { store in
            switch store.driver {
            case let driver as PostgresDriver: try await driver.read { try await PostgresDriver.snapshot($0) }
            case let driver as SQLiteDriver: try await driver.read { try SQLiteDriver.snapshot($0) }
            default: SchemaSnapshot(version: 0, entries: [])
            }
        }
        #expect(SchemaSnapshot(text: found.text).text == found.text)
        let name = kind == .postgreSQL ? "db/snapshot.postgresql.txt" : "db/snapshot.sqlite.txt"
        let file = Fixtures.repository.appendingPathComponent(name)
        if ProcessInfo.processInfo.environment["UPDATE_SNAPSHOT"] != nil {
            try Data(found.text.utf8).write(to: file)
            return
        }
        let expected = kind == .postgreSQL ? SchemaSnapshot.postgreSQL : SchemaSnapshot.sqlite
        #expect(try String(contentsOf: file, encoding: .utf8) == expected.text)
        let difference = Set(found.entries).symmetricDifference(expected.entries).map { "\($0)" }.sorted()
        let (old, new) = (expected.version, found.version)
        if old == new {
            #expect(difference.isEmpty, "UPDATE_SNAPSHOT=1 make test FILTER=SchemaSnapshotTests")
        }
        #expect(expected.compare(found) == SchemaReport(differences: [], notes: []))
    }
}
