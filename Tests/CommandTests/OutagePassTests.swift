import Databases
import Foundation
import LemonSqueezy
import LemonSqueezyStandIn
import Payloads
import Storage
import TestSupport
import Testing

/// What `serve` asks Lemon Squeezy for when its database was away and it itself was not.
@Suite(.timeLimit(.minutes(15)))
struct OutagePassTests {
    /// A purchase that no delivery brings.
    ///
    /// - Returns: the delivery that would.
    @discardableResult
    private func purchase(_ number: Int, _ shop: Shop) -> [UInt8] {
        var subscription = ProviderSubscription(
            userID: nil, createdAt: .utc("2026-01-01 00:00:00"), renewsAt: .utc("2027-01-01 00:00:00"))
        (subscription.id, subscription.customerID) = ("\(700_000 + number)", "\(800_000 + number)")
        subscription.orderID = "\(900_000 + number)"
        let body = subscription.event("subscription_created")
        shop.hold([body])
        return body
    }

    private func passes(_ shop: Shop) -> Int { shop.standIn.state.calls.count { $0.path == "orders" } }

    private func withServe(_ url: String, _ body: (Shop, HTTPClient, ServedProcess) async throws -> Void) async throws {
        let shop = try await Shop.open()
        purchase(1, shop)
        let port = try FreePort.any()
        let program = try Program(
            shop.settings.merging(["DATABASE_URL": url, "ADMIN_PORT": "\(port)", "LOG_LEVEL": "critical"]) { $1 })
        try await ServedProcess.serve(program) { served in
            try await eventually { passes(shop) == 1 }
            try await body(shop, HTTPClient(port: port), served)
            // One outage, one pass: not at the clock's next ticks either.
            try await Task.sleep(for: .seconds(3))
            #expect(passes(shop) == 2)
        }
    }

    /// The clock has found out.
    private func outageIsKnown(_ admin: HTTPClient) async throws -> Bool {
        let metrics = try await admin.send("GET", "/metrics").text
        return metrics.contains(#/selextract_clock_failures_total [1-9]/#)
    }

    @Test("After a server that was killed is back, it makes one whole pass")
    func killed() async throws {
        let cluster = try await Cluster()
        do {
            try await withServe(cluster.url) { shop, admin, _ in
                try await cluster.kill()
                purchase(2, shop)
                try await eventually { try await outageIsKnown(admin) }
                #expect(passes(shop) == 1)
                try await cluster.start()
                try await eventually { passes(shop) == 2 }
            }
            let store = try DatabaseConfiguration(url: cluster.url).open()
            #expect(try await store.primary.eventRecords(EventFilter(), limit: 10, before: nil).rows.count == 2)
            await store.close()
        } catch {
            try await cluster.stop()
            throw error
        }
        try await cluster.stop()
    }

    @Test("After a server that said nothing speaks again, too")
    func silent() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            let proxy = try Proxy(to: database)
            try await withServe(try proxy.url(of: database)) { shop, admin, _ in
                proxy.goSilent()
                purchase(2, shop)
                try await eventually { try await outageIsKnown(admin) }
                proxy.close()
                let back = try Proxy(to: database, on: proxy.port)
                defer { back.close() }
                try await eventually { passes(shop) == 2 }
            }
            let stored = "select count(*)::text from webhook_events where source = 'api'"
            #expect(try await database.values(stored) == ["2"])
        }
    }

    @Test("After deliveries were refused it makes one, too, though the clock found nothing wrong")
    func refused() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await withServe(database.url) { shop, admin, served in
                let body = purchase(2, shop)
                // As an index that is made without `concurrently`: all is read, and nothing stored.
                try await database.withLock("lock table webhook_events in share mode") {
                    let reply = try await served.deliver(body)
                    #expect(reply.status == 503)
                }
                try await eventually { passes(shop) == 2 }
                let isKnown = try await outageIsKnown(admin)
                #expect(!isKnown)
            }
            let stored = "select count(*)::text from webhook_events where subscription_id = '700002'"
            #expect(try await database.values(stored) == ["1"])
        }
    }
}
