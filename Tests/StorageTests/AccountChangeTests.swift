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

/// What is done to accounts, their units and their subscriptions by hand.
@Suite struct AccountChangeTests {
    private let policy = BillingPolicy()

    @Test(arguments: DatabaseKind.allCases)
    func `an account is found by what it logs in with, and changed`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            let new = NewUser(id: ada, email: "ada@example.com", fullName: "Ada", googleID: "g-1")
            let user = try await store.createUser(new)
            #expect((user.id, user.fullName, user.googleID, user.isActive) == (ada, "Ada", "g-1", true))
            #expect(try await store.user(googleID: "g-1") == user)
            #expect(try await store.user(googleID: "g-2") == nil)

            var changes = UserChanges()
            (changes.fullName, changes.googleID, changes.isActive) = ("Ada L.", "g-2", false)
            let changed = try await store.updateUser(ada, changes)
            #expect((changed.fullName, changed.googleID, changed.isActive) == ("Ada L.", "g-2", false))
            #expect((changed.email, changed.computeUnitsRemaining) == ("ada@example.com", 100))
            #expect(changed == (try await store.user(id: ada)))
            await #expect(throws: TaskRefusal.inactive) {
                _ = try await store.createTask(.named("n"), for: ada, policy: policy)
            }
            let nobody = await storeError { _ = try await store.updateUser(bob, changes) }
            #expect(nobody == .notFound("account “\(bob.uuidString.lowercased())”"))
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `what is taken or does not fit is refused, and said`(kind: DatabaseKind) async throws {
        try await kind.withStore { store in
            _ = try await store.createUser(NewUser(id: ada, email: "ada@example.com", googleID: "g-1"))
            _ = try await store.createUser(NewUser(id: bob, email: "bob@example.com"))
            let long = String(repeating: "x", count: 256)
            for (new, sentence) in [
                (NewUser(id: ada, email: "new@example.com"), "an account with that id exists already"),
                (NewUser(email: "ada@example.com"), "an account with that e-mail exists already"),
                (NewUser(email: "c@example.com", googleID: "g-1"), "an account with that Google id exists already"),
                (NewUser(email: ""), "an e-mail has 1 to 255 characters, none of them U+0000"),
                (NewUser(email: long), "an e-mail has 1 to 255 characters, none of them U+0000"),
                (NewUser(email: "c", fullName: "a\0b"), "a full name has 0 to 255 characters, none of them U+0000"),
                (NewUser(email: "c", googleID: long), "a Google id has 1 to 255 characters, none of them U+0000"),
            ] {
                #expect(await storeError { _ = try await store.createUser(new) } == .conflict(sentence))
                var changes = UserChanges()
                (changes.email, changes.fullName, changes.googleID) = (new.email, new.fullName, new.googleID)
                guard new.id == nil else { continue }
                #expect(await storeError { _ = try await store.updateUser(bob, changes) } == .conflict(sentence))
            }
            #expect(try await store.primary.users(limit: 9, before: nil).count == 2)
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `units are consumed once a task, added, and given back`(kind: DatabaseKind) async throws {
        try await kind.withStore(clock: TestClock(afterPurchase)) { store in
            try await store.prepare()
            try await store.receive([ProviderSubscription.purchase().event0])
            let task = UUID()
            for _ in 0..<2 {
                let entry = try await store.consumeComputeUnits(400, for: task, of: ada, policy: policy)
                #expect((entry.kind, entry.units, entry.balance) == (.consume, -400, 600))
            }
            await #expect(throws: UnitRefusal.insufficient(requested: 601, remaining: 600)) {
                try await store.consumeComputeUnits(601, for: UUID(), of: ada, policy: policy)
            }
            let added = try await store.addComputeUnits(50, to: ada, reason: "sorry", policy: policy)
            #expect((added.kind, added.units, added.balance, added.reason) == (.adjust, 50, 650, "sorry"))
            for units in [0, -1] {
                await #expect(throws: UnitRefusal.invalid(units: units)) {
                    try await store.addComputeUnits(units, to: ada, reason: "x", policy: policy)
                }
            }
            let reset = try await store.resetComputeUnits(of: ada, reason: "our fault", policy: policy)
            #expect((reset?.kind, reset?.units, reset?.balance) == (.adjust, 350, 1000))
            #expect(try await store.resetComputeUnits(of: ada, reason: "again", policy: policy) == nil)
            let nobody = await storeError { try await store.resetComputeUnits(of: bob, reason: "x", policy: policy) }
            #expect(nobody == .notFound("account “\(bob.uuidString.lowercased())”"))
            #expect(try await store.ledger(user: ada).reduce(0) { $0 + $1.entry.units } == 1000)
            #expect(try await Rebuild(store, policy: policy).run(check: true).problems == [])
        }
    }

    @Test(arguments: DatabaseKind.allCases)
    func `a subscription that is not the provider's is cancelled and renewed, and gives no units`(
        kind: DatabaseKind
    ) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withStore(clock: clock) { store in
            try await store.prepare()
            let end = clock.now + 30 * 86_400
            let made = try await store.createSubscription(to: "starter", for: ada, until: end)
            #expect((made.planID, made.status, made.isProviders) == ("starter", "active", false))
            #expect((made.currentPeriodStart, made.currentPeriodEnd) == (clock.now, end))
            #expect(made.daysUntilRenewal(at: clock.now) == 30)
            #expect(try await store.overview(user: ada)?.subscription == made)
            #expect(try await store.overview(user: ada)?.plan.id == "free")

            let cancelled = try await store.cancelSubscription(made.id, of: ada)
            #expect((cancelled.status, cancelled.endsAt, cancelled.cancelAtPeriodEnd) == ("cancelled", end, true))
            clock.set(end)
            #expect(try await store.overview(user: ada)?.subscription == nil)
            let renewed = try await store.renewSubscription(made.id, of: ada, until: end + 86_400)
            #expect((renewed.status, renewed.currentPeriodStart, renewed.endsAt) == ("active", end, nil))
            #expect(renewed == (try await store.primary.subscriptions(user: ada, limit: 1, before: nil)[0]))

            await #expect(throws: SubscriptionChangeError.notLater(than: renewed.currentPeriodEnd)) {
                try await store.renewSubscription(made.id, of: ada, until: end)
            }
            let text = made.id.uuidString.lowercased()
            for error in [
                await storeError { try await store.cancelSubscription(made.id, of: bob) },
                await storeError { try await store.renewSubscription(made.id, of: bob, until: end) },
            ] {
                #expect(error == .notFound("subscription “\(text)”"))
            }
            let refusals = [
                await storeError {
                    _ = try await store.createSubscription(to: "none", for: ada, until: .distantFuture)
                },
                await storeError {
                    _ = try await store.createSubscription(to: "free", for: bob, until: .distantFuture)
                },
                await storeError { _ = try await store.createSubscription(to: "free", for: ada, until: clock.now) },
            ]
            #expect(
                refusals == [
                    .notFound("plan “none”"), .notFound("account “\(bob.uuidString.lowercased())”"),
                    .conflict("a subscription ends later than it begins"),
                ])

            // The provider's is changed there.
            try await store.receive([ProviderSubscription.purchase().event0])
            let theirs = try #require(try await store.subscription("910001"))
            await #expect(throws: SubscriptionChangeError.isProviders) {
                try await store.cancelSubscription(theirs.id, of: ada)
            }
        }
    }
}
