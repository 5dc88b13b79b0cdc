import Accounts
import Billing
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

@Suite struct ListTests {
    /// All rows of a list, page by page.
    private func pages<Row>(
        _ read: (_ limit: Int, _ before: Cursor?) async throws -> [Row], cursor: (Row) -> Cursor
    ) async throws -> [Row] {
        var rows: [Row] = []
        while true {
            let page = try await read(2, rows.last.map(cursor))
            rows += page
            try #require(rows.count <= 100, "the pages do not end")
            if page.count < 2 { return rows }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `page by page a list is what it is at once`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.mapPlans()
            for number in 0..<7 {
                // Pairs of the same moment, which only the id tells apart.
                if number.isMultiple(of: 2) { clock.advance(by: 0.25) }
                let user = try await store.createUser(email: "\(number)@example.com", id: number == 0 ? ada : nil)
                for owner in [user.id, ada] {
                    _ = try await store.createKey(for: owner, name: "key \(number)")
                    _ = try await store.createSubscription(
                        to: "starter", for: owner, until: clock.now + 86_400, id: UUID())
                }
            }
            for user in [nil, ada] {
                let keys = try await pages({ try await store.keys(user: user, limit: $0, before: $1).rows }) {
                    Cursor(at: $0.createdAt, id: $0.id)
                }
                #expect(keys.count == (user == nil ? 14 : 8))
                #expect(keys == (try await store.keys(user: user, limit: 100, before: nil)).rows)
                let subscriptions = try await pages(
                    { try await store.primary.subscriptions(user: user, limit: $0, before: $1).rows },
                    cursor: { Cursor(at: $0.createdAt, id: $0.id) })
                #expect(subscriptions.count == (user == nil ? 14 : 8))
                #expect(
                    subscriptions == (try await store.primary.subscriptions(user: user, limit: 100, before: nil)).rows)
            }
            let users = try await pages({ try await store.primary.users(limit: $0, before: $1).rows }) {
                Cursor(at: $0.createdAt, id: $0.id)
            }
            #expect(users.count == 7)
            #expect(users == (try await store.primary.users(limit: 100, before: nil)).rows)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `events of one moment are in order of arrival on every page`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            // Some in one transaction, some in another, all at the same moment.
            let early = try await store.receive([[1], [2], [3]])
            let late = try await store.receive([[4], [5]])
            let rows = try await pages(
                { try await store.primary.eventRecords(EventFilter(), limit: $0, before: $1).rows },
                cursor: { Cursor(at: $0.receivedAt, id: $0.id) })
            #expect(Set(rows.map(\.receivedAt)) == [afterPurchase])
            #expect(rows.map(\.id) == (early + late).map(\.eventID).reversed())
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a list of events goes on where its cursor was, although that event is gone`(
        kind: DatabaseKind
    ) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withDatabase { database in
            try await database.withStore(clock: clock) { store in
                var events: [EventDecision] = []
                for number in 0..<6 {
                    // Two at a moment, which a `Date` cannot hold to the end.
                    if number.isMultiple(of: 2) { clock.advance(by: 0.123_457) }
                    events += try await store.receive([[UInt8(number)]])
                }
                let newestFirst = events.map(\.eventID).reversed().map(\.self)
                let list = { (cursor: Cursor?) in
                    try await store.primary.eventRecords(EventFilter(), limit: 9, before: cursor)
                }
                let records = try await list(nil)
                #expect(records.map(\.id) == newestFirst)
                let behind = { (event: EventRecord) in
                    try await database.execute("delete from webhook_events where id = '\(event.id.lowercased)'")
                    return try await list(Cursor(at: event.receivedAt, id: event.id)).map(\.id)
                }
                // The earlier of its moment: the other is shown once more, rather than one be left out.
                #expect(try await behind(records[3]) == [newestFirst[2]] + newestFirst[4...])
                #expect(try await behind(records[2]) == Array(newestFirst[4...]))
                // Behind the last of all there is nothing.
                #expect(try await behind(records[4]) == [newestFirst[5]])
                #expect(try await behind(records[5]).isEmpty)
            }
        }
    }

    /// A replica is told by what it holds: here it is another database.
    @Test(arguments: DatabaseKind.allCases)
    func `lists are read from the replica, and nothing that decides`(kind: DatabaseKind) async throws {
        // One place is taken for both: not to be called within itself.
        try await kind.withDatabases { primary, replica in
            for (database, email) in [(primary, "primary@example.com"), (replica, "replica@example.com")] {
                try await database.withStore { store in
                    let user = try await store.createUser(email: email, id: ada)
                    _ = try await store.createSubscription(
                        to: database.url == replica.url ? "starter" : "professional", for: user.id, until: .now + 99)
                }
            }
            let store = try primary.open { $0.readURL = replica.url }
            try await store.check()
            let lists = store.lists
            #expect(try await lists.users(limit: 9, before: nil).map(\.email) == ["replica@example.com"])
            #expect(try await lists.subscriptions(user: ada, limit: 9, before: nil).map(\.planID) == ["starter"])
            try await replica.execute("update subscription_plans set price_cents = 1 where id = 'enterprise'")
            #expect(try await lists.plans().map(\.priceCents) == [0, 1, 1900, 4900])

            #expect(try await store.primary.plans().map(\.priceCents) == [0, 1900, 4900, 9900])
            #expect(try await store.user(id: ada)?.email == "primary@example.com")
            let key = try await store.createKey(for: ada, name: "laptop")
            #expect(try await store.keyHolder(of: key.text.secret)?.user.email == "primary@example.com")
            #expect(try await replica.values("select name from api_keys") == [])
            await store.close()
            await #expect(throws: (any Error).self) { try await lists.plans() }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `without a replica lists are read from the database itself`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            _ = try await store.createUser(email: "ada@example.com", id: ada)
            #expect(try await store.lists.users(limit: 9, before: nil).map(\.id) == [ada])
        }
    }
}
