import BillingServer
import Payloads
import Storage
import TestSupport
import Testing

@Suite("Metrics", .timeLimit(.minutes(15)))
struct MetricsTests {
    @Test("Deliveries, refusals, durations and batches are shown as Prometheus reads them")
    func text() async throws {
        let body = try Fixtures.event("subscription_created")
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open()) { server in
                _ = try await server.deliver(body)
                _ = try await server.deliver(body)
                _ = try await server.deliver([])
                _ = try await server.client.send("POST", "/webhooks/lemon-squeezy", body: body)
                _ = try await server.client.send("GET", "/v1/plans/starter")
                let reply = try await server.admin.send("GET", "/metrics")
                #expect(reply["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
                let route = #"route="/webhooks/lemon-squeezy""#
                for line in [
                    "# TYPE selextract_deliveries_total counter",
                    #"selextract_deliveries_total{status="parked"} 1"#,
                    #"selextract_deliveries_total{status="duplicate"} 1"#,
                    #"selextract_deliveries_total{status="rejected"} 1"#,
                    "selextract_signature_failures_total 1",
                    "# TYPE selextract_http_request_duration_seconds histogram",
                    #"selextract_http_request_duration_seconds_count{\#(route),code="200"} 2"#,
                    #"selextract_http_request_duration_seconds_bucket{\#(route),code="200",le="+Inf"} 2"#,
                    #"selextract_http_request_duration_seconds_count{route="/v1/plans/{id}",code="200"} 1"#,
                    "selextract_inbox_batch_size_sum 3.0", #"selextract_inbox_batch_size_bucket{le="1.0"} 3"#,
                    "selextract_inbox_queue_depth 0", "selextract_body_bytes_held 0",
                ] {
                    #expect(reply.text.contains(line + "\n"), Comment(rawValue: line))
                }
                let lines = reply.text.split(separator: "\n")
                let heads = lines.filter { $0.hasPrefix("# TYPE ") }
                #expect(Set(heads).count == heads.count)
                for line in lines where !line.hasPrefix("#") {
                    #expect(line.wholeMatch(of: #/[a-z_]+(\{[^}]*(\{[^}]*\})?[^}]*\})? [0-9.e+-]+/#) != nil)
                }
            }
        }
    }

    @Test("Requests are counted by route and status, also at once, and also those that no route takes")
    func routes() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open()) { server in
                try await withThrowingTaskGroup { group in
                    for _ in 0..<20 {
                        group.addTask {
                            for _ in 0..<10 { _ = try await server.client.send("GET", "/v1/plans") }
                        }
                    }
                    try await group.waitForAll()
                }
                _ = try await server.client.send("HEAD", "/v1/plans", headers: [("if-none-match", "*")])
                _ = try await server.client.send("GET", "/v1/account")
                _ = try await server.client.send("POST", "/v1/plans")
                _ = try await server.client.send("GET", "/nothing")
                _ = try await server.admin.send("GET", "/healthz")
                let text = try await server.admin.send("GET", "/metrics").text
                for (route, code, count) in [
                    ("/v1/plans", 200, 200), ("/v1/plans", 304, 1), ("/v1/account", 401, 1), ("NotFound", 405, 1),
                    ("none", 404, 1), ("/healthz", 200, 1),
                ] {
                    let line = #"request_duration_seconds_count{route="\#(route)",code="\#(code)"} \#(count)"#
                    #expect(text.contains(line + "\n"), Comment(rawValue: line))
                }
                #expect(!text.contains("selextract_deliveries_total"))
            }
        }
    }
}
