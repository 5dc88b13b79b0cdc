import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct SQLiteStoreTests {
    @Test func `in memory it works as in a file`() async throws {
        let clock = TestClock(afterPurchase)
        var configuration = DatabaseConfiguration(url: "sqlite::memory:")
        configuration.clock = { clock.now }
        let store = try configuration.open()
        try await store.migrate()
        try await store.prepare()
        let bodies = try Fixtures.scenario("first-purchase").map(\.body)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for body in bodies + bodies {
                group.addTask { _ = try await store.receive([body]) }
                group.addTask { _ = try await store.primary.plans() }
            }
            try await group.waitForAll()
        }
        #expect(try await store.picture(of: ada).tier == "starter")
        await store.close()
    }

    @Test(arguments: ["sqlite:", "mysql://localhost", "sqlite3:x", ""])
    func `an address that names no database is refused`(url: String) async throws {
        guard case .invalidURL = await storeError({ _ = try DatabaseConfiguration(url: url).open() }) else {
            Issue.record("accepted: \(url)")
            return
        }
    }

    @Test func `a file that cannot be made is not available`() async throws {
        let url = "sqlite:/nowhere-\(UUID().uuidString)/x.sqlite3"
        guard case .unavailable = await storeError({ _ = try DatabaseConfiguration(url: url).open() }) else {
            Issue.record("it was made")
            return
        }
    }

    @Test func `a file that is no database is refused, and stays as it is`() async throws {
        try await DatabaseKind.sqlite.withDatabase(migrated: false) { database in
            let path = String(database.url.dropFirst("sqlite:".count))
            let text = Data(String(repeating: "This is no database. ", count: 100).utf8)
            try text.write(to: URL(fileURLWithPath: path))
            guard case .failed = await storeError({ _ = try database.open() }) else {
                Issue.record("opened")
                return
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == text)
        }
    }

    @Test func `readers of a file do not wait for the writer`() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let seen = try await database.values("select cast(journal_mode as text) from pragma_journal_mode")
            #expect(seen == ["wal"])
        }
    }

    @Test func `times of other programs are read with fewer digits, or more`() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            for (email, text) in [
                ("a", "2026-10-12T09:30:04Z"), ("b", "2026-10-12T09:30:04.250000Z"), ("c", "2026-10-12T09:30:04.250Z"),
                ("d", "2026-10-12T09:30:04.250000+00:00"),
            ] {
                try await database.execute("insert into users (email, created_at) values ('\(email)', '\(text)')")
            }
            try await database.withStore { store in
                let dates = try await ["a", "b", "c", "d"].asyncMap { try await store.users(email: $0)[0].createdAt }
                let base = Date.utc("2026-10-12 09:30:04")
                #expect(dates == [base, base + 0.25, base + 0.25, base + 0.25])
            }
        }
    }
}

extension Array {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
