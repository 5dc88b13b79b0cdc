import Accounts
import Billing
import Databases
import Foundation
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// The catalogue by its version, where events come from, and lists by the order of arrival.
@Suite struct LeanSchemaTests {
    @Test("A change of the catalogue counts for the next delivery, whoever made it", arguments: DatabaseKind.allCases)
    func catalogue(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                func plan(_ variant: String) async throws -> String? {
                    var subscription = ProviderSubscription.purchase(of: ada, id: "5\(variant)")
                    subscription.variantID = variant
                    try await store.receive([subscription.event0])
                    return try await store.subscription("5\(variant)")?.planID
                }
                #expect(try await plan("101") == "starter")
                #expect(try await plan("900") == nil)
                // By another program.
                try await database.execute(
                    "insert into plan_variants (variant_id, plan_id) values ('901', 'enterprise')")
                #expect(try await plan("901") == "enterprise")
                try await store.mapVariant("902", to: "professional")
                #expect(try await plan("902") == "professional")
                let versions = try await database.values("select cast(version as varchar(20)) from catalog_version")
                // One that is rolled back leaves no trace.
                try await database.execute(
                    """
                    begin;
                    insert into plan_variants (variant_id, plan_id) values ('903', 'starter');
                    rollback
                    """)
                #expect(try await plan("903") == nil)
                #expect(
                    try await database.values("select cast(version as varchar(20)) from catalog_version") == versions)
            }
        }
    }

    @Test("Only what came by webhook is signed, and that has to be", arguments: DatabaseKind.allCases)
    func sources(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            func insert(_ number: Int, _ source: String, signature: String) async throws {
                let hash =
                    kind == .sqlite ? "zeroblob(31) || x'0\(number)'" : "sha256('\(number)'::bytea)"
                let blob = kind == .sqlite ? "cast(\(hash) as blob)" : hash
                try await database.execute(
                    """
                    insert into webhook_events (
                        body, body_sha256, source, signature, matched_secret, kind, outcome
                    )
                    values (\(blob), \(blob), '\(source)', \(signature), \(signature == "null" ? "null" : "'current'"),
                        'other', 'ignored')
                    """)
            }
            try await insert(1, "api", signature: "null")
            try await insert(2, "adopted", signature: "null")
            try await insert(3, "webhook", signature: "'00'")
            await #expect(throws: (any Error).self) { try await insert(4, "webhook", signature: "null") }
            await #expect(throws: (any Error).self) { try await insert(5, "mail", signature: "null") }
            try await database.withStore { store in
                let records = try await store.primary.eventRecords(EventFilter(), limit: 9, before: nil)
                #expect(records.map(\.source) == [.webhook, .adopted, .api])
                #expect(records.map(\.signature) == ["00", nil, nil])
            }
        }
    }

    @Test(
        "Pages of events go on where one second has many, and where the last event is gone",
        arguments: DatabaseKind.allCases)
    func pages(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await database.withStore(clock: TestClock(afterPurchase)) { store in
                try await store.prepare()
                var subscription = ProviderSubscription.purchase(of: ada)
                for second in 0..<7 {
                    let at = afterPurchase.addingTimeInterval(Double(second))
                    try await store.receive([subscription.event("subscription_updated", at: at)])
                }
                func page(_ before: EventRecord?) async throws -> [EventRecord] {
                    try await store.primary.eventRecords(
                        EventFilter(), limit: 3, before: before.map { Cursor(at: $0.receivedAt, id: $0.id) })
                }
                let first = try await page(nil)
                let second = try await page(first.last)
                let third = try await page(second.last)
                let all = (first + second + third).map(\.id)
                #expect(all.count == 7 && Set(all).count == 7)

                let gone = try #require(first.last)
                try await database.execute("delete from webhook_events where id = '\(gone.id.uuidString.lowercased())'")
                let after = try await page(gone)
                // All came at one moment by the clock: it begins with the newest of that moment, so that none is missing.
                #expect(after.map(\.id) == [all[0], all[1], all[3]])
            }
        }
    }
}
