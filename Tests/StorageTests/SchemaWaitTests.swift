import Databases
import Foundation
import Schema
import Storage
import Synchronization
import TestSupport
import Testing

/// A migration that other sessions are in the way of.
@Suite struct SchemaWaitTests {
    /// Of a database of version 4.
    private static let missing = Schema.postgreSQL.map(\.version).filter { $0 > 4 }

    /// What another program's session may hold: a table that it has read, or the lock of another migration.
    private static let holds = ["select from users", "select pg_advisory_xact_lock(1579075500)"]

    @Test(arguments: holds)
    func `a migration waits with a word and an end, and changes nothing`(held: String) async throws {
        try await DatabaseKind.postgreSQL.withDatabases(migrated: false) { present, earlier in
            try await present.withStore { _ in }
            try await earlier.become(version: 4, withRowsOf: present)
            let told = Mutex<[String]>([])
            let store = try earlier.open {
                $0.schemaPatience = .seconds(2)
                $0.onSchemaWait = { sessions in told.withLock { $0.append(sessions) } }
            }
            try await earlier.withLock("set local application_name = 'reports'; \(held)") {
                let error = await storeError { try await store.migrate() }
                guard case .busy(let reason)? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(
                    reason.contains(
                        #/^session [0-9]+ \(application “reports”, its transaction runs for [0-9]+ s, idle in/#))
                let pending = try await store.pendingMigrations().map(\.version)
                #expect(pending == Self.missing)
            }
            #expect(told.withLock(\.self) != [])
            #expect(try await store.migrate().map(\.version) == Self.missing)
            await store.close()
        }
    }

    @Test func `a migration goes on as soon as nobody is in its way`() async throws {
        try await DatabaseKind.postgreSQL.withDatabases(migrated: false) { present, earlier in
            try await present.withStore { _ in }
            try await earlier.become(version: 4, withRowsOf: present)
            let (words, continuation) = AsyncStream.makeStream(of: String.self)
            let store = try earlier.open { $0.onSchemaWait = { continuation.yield($0) } }
            var migration: Task<[AppliedMigration], any Error>?
            try await earlier.withLock("set local application_name = 'reports'; select from users") {
                migration = Task { try await store.migrate() }
                #expect(await words.first { _ in true }?.contains("“reports”") == true)
            }
            #expect(try await migration?.value.map(\.version) == Self.missing)
            await store.close()
        }
    }
}
