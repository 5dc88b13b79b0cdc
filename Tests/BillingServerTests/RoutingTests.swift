import BillingServer
import Foundation
import Storage
import TestSupport
import Testing

@Suite("Addresses and methods", .timeLimit(.minutes(15)))
struct RoutingTests {
    @Test("A wrong method is 405 with Allow, an unknown address 404, each a problem with the request's id")
    func wrongMethods() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open()) { server in
                for (method, path, status, allow) in [
                    ("GET", "/webhooks/lemon-squeezy", 405, "POST"), ("PUT", "/webhooks/lemon-squeezy", 405, "POST"),
                    ("PROPFIND", "/webhooks/lemon-squeezy", 405, "POST"),
                    ("OPTIONS", "/webhooks/lemon-squeezy", 405, "POST"),
                    ("POST", "/v1/plans", 405, "GET, HEAD, OPTIONS"),
                    ("DELETE", "/v1/plans/starter", 405, "GET, HEAD, OPTIONS"),
                    ("POST", "/v1/account", 405, "GET, HEAD"),
                    ("GET", "/", 404, nil), ("GET", "/v1", 404, nil), ("POST", "/webhooks", 404, nil),
                    ("GET", "/metrics", 404, nil), ("GET", "/v1/plans/none", 404, nil),
                    ("GET", "/%2e%2e/etc/passwd", 404, nil),
                ] as [(String, String, Int, String?)] {
                    let reply = try await server.client.send(method, path)
                    #expect(reply.status == status, "\(method) \(path)")
                    #expect(reply["allow"] == allow, "\(method) \(path)")
                    #expect(reply["content-type"] == "application/problem+json")
                    let type = status == 405 ? "method-not-allowed" : "not-found"
                    #expect(reply.member("type") == "urn:selextract-billing:problem:\(type)")
                    #expect(reply.member("status") == String(status))
                    #expect(reply.member("request_id") == reply["x-request-id"])
                    #expect(reply.member("title") != nil && reply.member("detail") != nil)
                }
                let head = try await server.client.connect { connection in
                    let head = try await connection.send("HEAD", "/nowhere")
                    let next = try await connection.send("GET", "/v1/plans")
                    return (head.status, next.status)
                }
                #expect(head == (404, 200))
                #expect(try await server.admin.send("POST", "/healthz").status == 405)
                #expect(try await server.events().isEmpty)
            }
        }
    }

    @Test("Every answer has a request id of its own")
    func requestIDs() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open()) { server in
                var ids: Set<String> = []
                for _ in 0..<20 {
                    let reply = try await server.client.send("GET", "/v1/plans", headers: [("x-request-id", "mine")])
                    ids.insert(try #require(reply["x-request-id"]))
                }
                #expect(ids.count == 20)
                #expect(!ids.contains("mine"))
            }
        }
    }

    @Test(
        "What is not HTTP is answered 400 and the connection ends",
        arguments: [
            "hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\u{1} HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        ])
    func malformed(_ request: String) async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open()) { server in
                try await server.client.connect { connection in
                    try await connection.write(request)
                    let reply = try await connection.reply()
                    #expect(reply.status == 400)
                    #expect(reply["content-type"] == "application/problem+json")
                    #expect(reply.member("request_id") == reply["x-request-id"])
                    #expect(try await connection.isClosed())
                }
                #expect(try await server.client.send("GET", "/v1/plans").status == 200)
            }
        }
    }

    @Test("A malformed chunk ends its request alone")
    func malformedChunk() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open()) { server in
                let reply = try await server.client.sendRaw(
                    Array("POST /webhooks/lemon-squeezy HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".utf8))
                #expect(reply.status == 400)
                #expect(reply["x-request-id"] != nil)
                #expect(try await server.events().isEmpty)
            }
        }
    }

    @Test("Readiness and metrics tell of the pool of connections")
    func pool() async throws {
        try await DatabaseKind.postgreSQL.withDatabase { database in
            try await withServer(try database.open()) { server in
                let ready = try await server.admin.send("GET", "/readyz").text
                #expect(ready.contains(#/"pool":\{"idle":\d+,"leased":\d+,"size":[1-9]\d*,"waiting":0\}/#))
                let metrics = try await server.admin.send("GET", "/metrics").text
                #expect(metrics.contains(#/(?m)^selextract_database_connections_idle [1-9]\d*$/#))
                #expect(metrics.contains(#/(?m)^selextract_database_connections_leased \d+$/#))
                #expect(metrics.contains("\nselextract_database_callers_waiting 0\n"))
            }
        }
    }

    @Test("Health and readiness say how the process and the database are")
    func health() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open()) { server in
                let health = try await server.admin.send("GET", "/healthz")
                #expect(health.status == 200)
                #expect(health.text == #"{"status":"ok"}"#)
                let ready = try await server.admin.send("GET", "/readyz")
                #expect(ready.status == 200)
                #expect(ready.member("status") == "ready")
                #expect(ready.text.contains(#/"database":\{"latency_microseconds":[1-9]\d*\}/#))
                try await database.execute("delete from schema_migrations")
                // It is asked once a second.
                try await eventually { try await server.admin.send("GET", "/readyz").status == 503 }
                #expect(try await server.admin.send("GET", "/readyz").member("detail")?.isEmpty == false)
                #expect(try await server.admin.send("GET", "/healthz").status == 200)
            }
        }
    }
}
