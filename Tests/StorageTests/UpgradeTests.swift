import Accounts
import Billing
import Foundation
import LemonSqueezy
import Payloads
import Schema
import SchemaValidation
import Selextract
import Storage
import TestSupport
import Testing

/// A database of the version before the rules that real histories taught: what it holds is brought up to them.
@Suite struct UpgradeTests {
    /// A database of that version with what is stored in one of the present.
    private func takeBack(_ present: TestDatabase, to earlier: TestDatabase) async throws {
        // Nothing was remembered of a match by e-mail then.
        try await present.execute("delete from operator_actions where kind = 'match'")
        try await earlier.become(version: 2, withRowsOf: present)
    }

    /// As a version stored and decided an event that read less of it: the account does not know of it.
    private func store(_ bodies: [[UInt8]], as outcome: String, in store: Store, _ database: TestDatabase)
        async throws
    {
        let events = bodies.map { InboxEvent($0) }
        let stored = try await store.transaction { try await $0.insert(events) }
        for event in stored {
            try await database.execute(
                "update webhook_events set outcome = '\(outcome)', user_id = '\(ada.lowercased)' where id = '\(event.eventID.lowercased)'"
            )
        }
    }

    @Test("rebuild --check says what will change, the first tick does it", arguments: DatabaseKind.allCases)
    func upgrade(_ kind: DatabaseKind) async throws {
        let clock = TestClock(.utc("2026-10-01 00:00:00"))
        try await kind.withDatabases(migrated: false) { database, earlier in
            let grace = UUID()
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                _ = try await store.createUser(email: "grace@example.com", id: grace)
                // Ada's billing day has moved, which the version before did not see; her order belongs to nobody.
                var moved = ProviderSubscription(
                    userID: ada, createdAt: .utc("2026-10-07 10:00:00"), renewsAt: .utc("2026-11-07 10:00:00"))
                clock.set(.utc("2026-10-07 10:00:00"))
                try await store.receive([moved.order(), moved.event("subscription_created")])
                try await database.execute(
                    "update users set compute_units_remaining = 111 where id = '\(ada.lowercased)'")
                try await store.transaction { _ = try await Fold($0, policy: .init()).refresh(users: [ada]) }
                (moved.renewsAt, moved.billingAnchor) = (.utc("2026-11-27 10:00:00"), 27)
                clock.set(.utc("2026-10-27 10:00:10"))
                try await self.store(
                    [
                        moved.invoice(id: 2, createdAt: .utc("2026-10-27 10:00:00")),
                        moved.event("subscription_updated", at: .utc("2026-10-27 10:00:03")),
                    ], as: "applied", in: store, database)
                try await database.execute("update webhook_events set user_id = null where kind = 'order'")

                // Grace was found by her e-mail; that her subscription has expired could not be read.
                var ended = ProviderSubscription(
                    userID: nil, createdAt: .utc("2026-10-10 10:00:00"), renewsAt: .utc("2026-11-10 10:00:00"))
                (ended.id, ended.customerID, ended.orderID, ended.email) = ("777", "778", "779", "Grace@example.com")
                try await store.receive(
                    [ended.event("subscription_created")], policy: BillingPolicy(matchByEmail: true))
                (ended.status, ended.variantID, ended.endsAt) = ("expired", nil, .utc("2026-10-20 10:00:00"))
                try await self.store(
                    [ended.event("subscription_expired", at: .utc("2026-10-20 10:00:00"))], as: "parked", in: store,
                    database)
                try await database.execute(
                    """
                    update webhook_events set kind = 'undecodable', status = null, source_updated_at = null,
                        reason = 'undecodable: data.attributes.variant_id is missing', user_id = null
                    where event_name = 'subscription_expired'
                    """)
            }
            try await takeBack(database, to: earlier)

            try await earlier.withStore(clock: clock) { store in
                #expect(try await store.validateSchema().differences.isEmpty)
                let matches = try await store.operatorRecords(user: grace, subscription: nil)
                #expect(matches.map(\.kind) == [.match] && matches.map(\.subscription) == ["777"])
                #expect(try await store.user(id: grace)?.subscriptionTier == "starter")

                let check = try await Rebuild(store, policy: .init()).run(check: true)
                let told = check.differences.map { "\($0.subject.rawValue) \($0.detail)" }
                #expect(told.contains { $0.hasPrefix("event its bytes are read as subscription") }, "\(told)")
                #expect(told.contains { $0.contains("billingAnchor") }, "\(told)")
                #expect(told.contains { $0.contains("units remaining is") || $0.contains("granted") }, "\(told)")
                #expect(try await store.user(id: grace)?.subscriptionTier == "starter")

                // As `serve` does at its start.
                try await store.adopt(BillingPolicy(), host: "new")
                let report = try await Tick(store, policy: .init()).run()
                #expect(report.reread == 6 && report.failures == 0)
                #expect(try await store.picture(of: ada).units == 756)
                #expect(try await store.picture(of: ada).resetDate == .utc("2026-11-27 10:00:00"))
                #expect(try await store.picture(of: grace).tier == "free")
                var filter = EventFilter()
                filter.userID = ada
                filter.name = "order_created"
                #expect(
                    try await store.primary.eventRecords(filter, limit: 9, before: nil).map(\.outcome) == [.ignored])
                #expect(try await Rebuild(store, policy: .init()).run(check: true).problems.isEmpty)
                #expect(try await Tick(store, policy: .init()).run() == Tick.Report())
            }
        }
    }

    @Test(
        "A match is remembered by the migration only where nothing but the e-mail spoke",
        arguments: DatabaseKind.allCases)
    func matches(_ kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withDatabases(migrated: false) { database, earlier in
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                var claimed = ProviderSubscription.purchase(of: ada)
                var sibling = ProviderSubscription.purchase(of: nil, id: "910002")
                var alone = ProviderSubscription.purchase(of: nil, id: "910003")
                (alone.customerID, alone.orderID) = ("1", "2")
                try await store.receive(
                    [
                        claimed.event("subscription_created"), sibling.event("subscription_created"),
                        alone.event("subscription_created"),
                    ],
                    policy: BillingPolicy(matchByEmail: true))
                #expect(try await store.picture(of: ada).subscriptions.count == 3)
            }
            try await takeBack(database, to: earlier)
            try await earlier.withStore(clock: clock) { store in
                let matches = try await store.operatorRecords(user: ada, subscription: nil)
                #expect(matches.map(\.subscription) == ["910003"])
            }
        }
    }

    @Test(
        "A database of any earlier version keeps its rows, and the next delivery goes on from them",
        arguments: DatabaseKind.allCases, 2..<Schema.postgreSQL.count)
    func versions(_ kind: DatabaseKind, _ version: Int) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withDatabases(migrated: false) { database, earlier in
            var bought = ProviderSubscription.purchase()
            var (picture, events) = (AccountPicture(subscriptions: [], buckets: []), [EventRecord]())
            try await database.withStore(clock: clock) { store in
                try await store.prepare()
                try await store.receive([
                    bought.order(), bought.event("subscription_created"), [1, 2, 3],
                    bought.invoice(id: 1, reason: "initial", createdAt: .utc("2026-10-12 09:30:01")),
                ])
                picture = try await store.picture(of: ada)
                events = try await store.primary.eventRecords(EventFilter(), limit: 9, before: nil).rows
            }
            #expect(picture.units == 1000 && picture.subscriptions.count == 1 && events.count == 4)
            try await earlier.become(version: version, withRowsOf: database)

            try await earlier.withStore(clock: clock) { store in
                #expect(try await store.validateSchema() == SchemaReport(differences: [], notes: []))
                #expect(try await store.picture(of: ada) == picture)
                #expect(try await store.primary.eventRecords(EventFilter(), limit: 9, before: nil).rows == events)
                // The bytes are known, those of an upgrade are not.
                (bought.variantID, bought.updatedAt) = ("102", .utc("2026-10-12 09:59:00"))
                let decisions = try await store.receive([[1, 2, 3], bought.event("subscription_updated")])
                #expect(decisions.map(\.isDuplicate) == [true, false])
                #expect(decisions.map(\.outcome) == [.rejected, .applied])
                #expect(try await store.picture(of: ada).tier == "professional")
                // Arrivals go on behind those that were there.
                let newest = try await store.primary.eventRecords(EventFilter(), limit: 9, before: nil)
                #expect(newest.map(\.id) == [decisions[1].eventID] + events.map(\.id))
                #expect(try await Rebuild(store, policy: .init()).run(check: true).problems.isEmpty)
            }
        }
    }
}
