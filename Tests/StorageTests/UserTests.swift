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

@Suite struct UserTests {
    @Test(arguments: DatabaseKind.allCases)
    func `a new account is free, and its month begins with it`(kind: DatabaseKind) async throws {
        let clock = TestClock(.utc("2027-01-31 10:00:00"))
        try await kind.withStore(clock: clock) { store in
            let user = try await store.createUser(email: "Ada@Example.com", id: nil)
            #expect(user.email == "Ada@Example.com")
            #expect((user.subscriptionTier, user.computeUnitsRemaining, user.isActive) == ("free", 100, true))
            #expect(user.createdAt == clock.now)
            #expect(user.computeUnitsResetDate == .utc("2027-02-28 10:00:00"))
            #expect(try await store.user(id: user.id) == user)
            #expect(try await store.user(id: UUID()) == nil)
            #expect(try await store.users(email: "ADA@example.COM") == [user])
            #expect(try await store.users(email: "bob@example.com") == [])
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `an e-mail or an id that is taken is a conflict`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            _ = try await store.createUser(email: "ada@example.com", id: ada)
            let email = await storeError { _ = try await store.createUser(email: "ada@example.com", id: nil) }
            #expect(email == .conflict("an account with that e-mail exists already"))
            let id = await storeError { _ = try await store.createUser(email: "bob@example.com", id: ada) }
            #expect(id == .conflict("an account with that id exists already"))
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `e-mails that differ in letter case are one account's, unless another program made two`(
        kind: DatabaseKind
    ) async throws {
        try await kind.withDatabase { database in
            try await database.withStore { store in
                _ = try await store.createUser(email: "ada@example.com", id: ada)
                _ = try await store.createUser(email: "bob@example.com", id: bob)
                let taken = StoreError.conflict("an account with that e-mail exists already")
                #expect(await storeError { _ = try await store.createUser(email: "ADA@example.com", id: nil) } == taken)
                var changes = UserChanges()
                changes.email = "Ada@Example.com"
                #expect(await storeError { _ = try await store.updateUser(bob, changes) } == taken)
                // Its own may be spelled anew.
                #expect(try await store.updateUser(ada, changes).email == "Ada@Example.com")

                try await database.execute("update users set email = 'ADA@example.com' where email = 'bob@example.com'")
                #expect(try await Set(store.users(email: "ada@example.com").map(\.id)) == [ada, bob])
                let error = await storeError { _ = try await store.user(named: "ada@example.com") }
                guard case .conflict(let reason)? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                for name in ["Ada@Example.com (\(ada.lowercased))", "ADA@example.com (\(bob.lowercased))"] {
                    #expect(reason.contains(name))
                }
            }
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `of several that create an account with one e-mail at once, in any spelling, one does`(
        kind: DatabaseKind
    ) async throws {
        try await kind.withStore { store in
            let made = await withTaskGroup(of: Bool.self) { group in
                for email in ["ada@example.com", "Ada@example.com", "ADA@EXAMPLE.COM", "ada@Example.com"] {
                    group.addTask { (try? await store.createUser(email: email, id: nil)) != nil }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            let users = try await store.primary.users(limit: 9, before: nil)
            #expect(made == 1)
            #expect(users.count == 1)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `accounts are listed by pages, newest first, each once`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withStore(clock: clock) { store in
            var created: [UUID] = []
            for number in 0..<7 {
                // Pairs of the same moment, which only the id tells apart.
                if number.isMultiple(of: 2) { clock.advance(by: 0.25) }
                created.append(try await store.createUser(email: "\(number)@example.com", id: nil).id)
            }
            var listed: [UUID] = []
            var cursor: Cursor?
            while true {
                let page = try await store.primary.users(limit: 3, before: cursor)
                guard let last = page.last else { break }
                listed += page.map(\.id)
                cursor = Cursor(at: last.createdAt, id: last.id)
            }
            #expect(listed.count == 7)
            #expect(Set(listed) == Set(created))
            #expect(listed.first == created.last)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `accounts whose moment has come are due, oldest first`(kind: DatabaseKind) async throws {
        let clock = TestClock(beforePurchase)
        try await kind.withStore(clock: clock) { store in
            let first = try await store.createUser(email: "first@example.com", id: nil).id
            clock.advance(by: 60)
            let second = try await store.createUser(email: "second@example.com", id: nil).id
            let due = { (at: Date, limit: Int) in
                try await store.transaction { try await $0.dueAccounts(at: at, revision: 0, limit: limit, except: []) }
            }
            #expect(try await due(clock.now, 10) == [first, second])
            #expect(try await due(clock.now, 1) == [first])
            #expect(try await due(clock.now - 30, 10) == [first])
            try await store.transaction {
                _ = try await Fold($0, policy: .init()).refresh(users: [first, second])
            }
            #expect(try await due(clock.now, 10) == [])
            #expect(try await due(.utc("2026-11-01 00:00:00"), 10) == [first])
        }
    }
}
