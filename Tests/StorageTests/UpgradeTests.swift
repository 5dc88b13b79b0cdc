import Accounts
import Billing
import Foundation
import LemonSqueezy
import Payloads
import SchemaValidation
import Selextract
import Storage
import TestSupport
import Testing

/// A database of the version before the rules that real histories taught: what it holds is brought up to them.
@Suite struct UpgradeTests {
    private static let before: [DatabaseKind: [String]] = [
        .postgreSQL: [
            """
            drop table subscription_checkpoints, catalog_version;
            drop function renew_catalog_version cascade;
            drop index webhook_events_received_at_brin, idx_users_email, idx_users_google_id;
            alter table users add constraint users_email_key unique (email),
                add constraint users_google_id_key unique (google_id);
            create index idx_users_email on users (email);
            create index idx_users_google_id on users (google_id);
            create index idx_webhook_events_received on webhook_events (received_at, arrival);
            alter table webhook_events drop constraint webhook_events_signed_check, drop column source
            """,
            """
            alter table webhook_events drop column billing_anchor, drop column decoder, drop column erased_at,
                drop column deleted_user_id;
            drop index idx_webhook_events_order, idx_webhook_events_quarantined, idx_compute_unit_ledger_line;
            alter table users drop column billing_revision, drop column billing_valid_from;
            drop table billing_settings;
            alter table user_subscriptions drop column source;
            delete from operator_actions where kind = 'match';
            alter table operator_actions drop constraint operator_actions_kind_check, drop column plan_id,
                drop column until, drop column acted_by, drop column acted_from,
                drop constraint operator_actions_match_check,
                add constraint operator_actions_kind_check check (kind in ('bind', 'adjust'));
            drop function account_entitlement
            """,
        ],
        .sqlite: [
            ["plans", "variants", "terms"].flatMap { table in
                ["insert", "update", "delete"].map { "drop trigger renew_version_of_\(table)_after_\($0)" }
            }.joined(separator: ";"),
            "drop table subscription_checkpoints; drop table catalog_version",
            """
            drop index idx_webhook_events_decoder; drop index idx_webhook_events_order;
            drop index idx_webhook_events_quarantined; drop index idx_webhook_events_deleted_user;
            drop index idx_compute_unit_ledger_line; drop index idx_users_billing_revision;
            drop index idx_users_billing_valid_from; drop trigger park_events_of_users;
            alter table webhook_events drop column billing_anchor; alter table webhook_events drop column decoder;
            alter table webhook_events drop column erased_at; alter table webhook_events drop column deleted_user_id;
            alter table users drop column billing_revision; alter table users drop column billing_valid_from;
            drop table billing_settings;
            alter table user_subscriptions drop column source;
            delete from operator_actions where kind = 'match';
            create trigger park_events_of_users before delete on users begin select 1; end
            """,
        ],
    ]

    /// Takes the migrations from the third on back, as far as rows and columns go.
    private func takeBack(_ database: TestDatabase) async throws {
        try await database.execute("drop view account_entitlements")
        for sql in Self.before[database.kind] ?? [] { try await database.execute(sql) }
        try await database.execute(
            """
            create view account_entitlements as select 1 as user_id;
            delete from schema_migrations where version >= 3
            """)
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
        try await kind.withDatabase { database in
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
            try await takeBack(database)

            try await database.withStore(clock: clock) { store in
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
                #expect(try await Rebuild(store, policy: .init()).run(check: true).differences.isEmpty)
                #expect(try await Tick(store, policy: .init()).run() == Tick.Report())
            }
        }
    }

    @Test(
        "A match is remembered by the migration only where nothing but the e-mail spoke",
        arguments: DatabaseKind.allCases)
    func matches(_ kind: DatabaseKind) async throws {
        let clock = TestClock(afterPurchase)
        try await kind.withDatabase { database in
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
            try await takeBack(database)
            try await database.withStore(clock: clock) { store in
                let matches = try await store.operatorRecords(user: ada, subscription: nil)
                #expect(matches.map(\.subscription) == ["910003"])
            }
        }
    }
}
