import BillingServer
import Foundation
import Selextract
import Storage
import TestSupport
import Testing

@Suite("Catalogue", .timeLimit(.minutes(15)))
struct CatalogueTests {
    @Test("The active plans are shown, cheapest first, each with the same members", arguments: DatabaseKind.allCases)
    func plans(_ kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            try await withServer(try database.open()) { server in
                let reply = try await server.client.send("GET", "/v1/plans")
                #expect(reply.status == 200)
                #expect(reply["content-type"] == "application/json")
                let document = try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any]
                let plans = try #require(document?["plans"] as? [[String: Any]])
                #expect(document?.count == 1)
                #expect(plans.map { $0["id"] as? String } == ["free", "starter", "professional", "enterprise"])
                #expect(plans.map { $0["price_cents"] as? Int } == [0, 1900, 4900, 9900])
                #expect(plans.map { $0["monthly_compute_units"] as? Int } == [100, 1000, 5000, 25000])
                #expect(plans.map { $0["max_concurrent_tasks"] as? Int } == [1, 3, 10, 50])
                let members: Set = [
                    "id", "name", "description", "price_cents", "currency", "billing_interval",
                    "monthly_compute_units", "max_concurrent_tasks",
                ]
                for plan in plans {
                    #expect(Set(plan.keys) == members)
                    #expect(plan["currency"] as? String == "USD")
                    #expect(plan["billing_interval"] as? String == "month")
                }
                let one = try await server.client.send("GET", "/v1/plans/starter")
                #expect(one.status == 200)
                #expect(one.member("id") == "starter")
                #expect(one.member("price_cents") == "1900")
            }
        }
    }

    @Test("A tag spares the body, HEAD has none, any page may read")
    func caching() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open()) { server in
                for path in ["/v1/plans", "/v1/plans/free"] {
                    let reply = try await server.client.send("GET", path)
                    let tag = try #require(reply["etag"])
                    #expect(tag.hasPrefix("\"") && tag.count == 66)
                    #expect(reply["cache-control"]?.contains("max-age=1") == true)
                    #expect(reply["access-control-allow-origin"] == "*")
                    for match in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
                        let same = try await server.client.send("GET", path, headers: [("if-none-match", match)])
                        #expect(same.status == 304)
                        #expect(same.body.isEmpty)
                        #expect(same["etag"] == tag)
                    }
                    let other = try await server.client.send("GET", path, headers: [("if-none-match", "\"other\"")])
                    #expect(other.status == 200)
                    let head = try await server.client.send("HEAD", path)
                    #expect(head.status == 200)
                    #expect(head["content-length"] == String(reply.body.count))
                    #expect(head["etag"] == tag)
                    let preflight = try await server.client.send(
                        "OPTIONS", path,
                        headers: [("origin", "https://example.com"), ("access-control-request-method", "GET")])
                    #expect(preflight.status == 204)
                    #expect(preflight["access-control-allow-origin"] == "*")
                    #expect(preflight["access-control-allow-methods"] == "GET, HEAD, OPTIONS")
                }
                let missing = try await server.client.send("GET", "/v1/plans/none")
                #expect(missing["access-control-allow-origin"] == "*")
                let webhook = try await server.client.send("POST", "/webhooks/lemon-squeezy", body: [])
                #expect(webhook["access-control-allow-origin"] == nil)
            }
        }
    }

    @Test("A changed plan shows soon, and one no longer offered is gone")
    func changes() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open()) { server in
                let before = try await server.client.send("GET", "/v1/plans/starter")
                var changes = PlanChanges()
                changes.priceCents = 2500
                _ = try await server.store.updatePlan("starter", changes)
                try await eventually {
                    try await server.client.send("GET", "/v1/plans/starter").member("price_cents") == "2500"
                }
                #expect(try await server.client.send("GET", "/v1/plans/starter")["etag"] != before["etag"])
                var withdrawn = PlanChanges()
                withdrawn.isActive = false
                _ = try await server.store.updatePlan("starter", withdrawn)
                try await eventually {
                    try await server.client.send("GET", "/v1/plans/starter").status == 404
                }
                #expect(try await !server.client.send("GET", "/v1/plans").text.contains("starter"))
            }
        }
    }
}
