import BillingServer
import Foundation
import Payloads
import Storage
import TestSupport
import Testing

@Suite("Limits on bodies, time and connections", .timeLimit(.minutes(15)))
struct LimitTests {
    private static func head(_ body: [UInt8], _ more: String) -> String {
        "POST /webhooks/lemon-squeezy HTTP/1.1\r\nhost: localhost\r\n"
            + "x-signature: \(RunningServer.signature(body).value)\r\n\(more)\r\n"
    }

    private static func chunked(_ body: [UInt8], size: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: body.count, by: size) {
            let piece = body[start..<min(start + size, body.count)]
            bytes += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    /// A server with the usual limits.
    private func withLimits<Result: Sendable>(
        _ body: (RunningServer) async throws -> Result
    ) async throws -> Result {
        try await withLimits(\.bodySize, Limits().bodySize, body)
    }

    /// A server with one limit changed.
    private func withLimits<Value, Result: Sendable>(
        _ limit: WritableKeyPath<Limits, Value>, _ value: Value, _ body: (RunningServer) async throws -> Result
    ) async throws -> Result {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(
                try database.open(),
                options: {
                    // However long the machine is busy with other things.
                    $0.limits.bodyDeadline = .seconds(600)
                    $0.limits[keyPath: limit] = value
                }, body)
        }
    }

    @Test("A body of chunks without a length is read like any other")
    func chunks() async throws {
        let body = try Fixtures.event("subscription_created")
        try await withLimits { server in
            let reply = try await server.client.sendRaw(
                Array(Self.head(body, "transfer-encoding: chunked\r\n").utf8) + Self.chunked(body, size: 7))
            #expect(reply.status == 200)
            #expect(try await server.events().count == 1)
        }
    }

    @Test("Chunks beyond the limit are refused before all of them came")
    func tooManyChunks() async throws {
        let body = [UInt8](repeating: 32, count: (1 << 20) + 1)
        try await withLimits { server in
            try await server.client.connect { connection in
                // No last chunk: the answer must not wait for it.
                try await connection.write(Self.head(body, "transfer-encoding: chunked\r\n"))
                try await connection.write(Array(Self.chunked(body, size: 1 << 16).dropLast(5)))
                let reply = try await connection.reply()
                #expect(reply.status == 413)
                #expect(reply["connection"] == "close")
                #expect(try await connection.isClosed())
            }
            #expect(try await server.events().isEmpty)
        }
    }

    @Test("A length beyond the limit is refused before anything of it came")
    func tooLong() async throws {
        try await withLimits { server in
            try await server.client.connect { connection in
                try await connection.write(Self.head([], "content-length: 99999999999\r\nexpect: 100-continue\r\n"))
                let reply = try await connection.reply()
                #expect(reply.status == 413)
                #expect(reply.member("type") == "urn:selextract-billing:problem:body-too-large")
                #expect(try await connection.isClosed())
            }
        }
    }

    @Test("Who asks whether to go on is told so")
    func continues() async throws {
        let body = try Fixtures.event("subscription_created")
        try await withLimits { server in
            try await server.client.connect { connection in
                let more = "content-length: \(body.count)\r\nexpect: 100-continue\r\n"
                try await connection.write(Self.head(body, more))
                #expect(try await connection.reply().status == 100)
                try await connection.write(body)
                #expect(try await connection.reply().status == 200)
                #expect(try await connection.send("GET", "/v1/plans").status == 200)
            }
        }
    }

    @Test("Requests sent at once on one connection are answered in order")
    func pipelined() async throws {
        let first = try Fixtures.event("subscription_created")
        let second = try Fixtures.event("order_created")
        try await withLimits { server in
            try await server.client.connect { connection in
                var bytes: [UInt8] = []
                for body in [first, second, first] {
                    bytes += Array(Self.head(body, "content-length: \(body.count)\r\n").utf8) + body
                }
                try await connection.write(bytes)
                let statuses = [
                    try await connection.reply().member("status"), try await connection.reply().member("status"),
                    try await connection.reply().member("status"),
                ]
                #expect(statuses == ["parked", "ignored", "duplicate"])
            }
        }
    }

    @Test("A body that trickles in has one deadline for all of it")
    func slowBody() async throws {
        try await withLimits(\.bodyDeadline, .milliseconds(200)) { server in
            try await server.client.connect { connection in
                try await connection.write(Self.head([], "content-length: 20\r\n"))
                // With a deadline for each piece the body would come to its end, and be refused for its signature.
                for _ in 0..<20 {
                    try? await connection.write(" ")
                    try await Task.sleep(for: .milliseconds(30))
                }
                let reply = try await connection.reply()
                #expect(reply.status == 408)
                #expect(reply["connection"] == "close")
                #expect(try await connection.isClosed())
            }
            #expect(try await server.client.send("GET", "/v1/plans").status == 200)
        }
    }

    @Test("A connection on which no request comes to its end of headers is closed")
    func idle() async throws {
        try await withLimits(\.idleTimeout, .milliseconds(200)) { server in
            try await server.client.connect { connection in
                try await connection.write("GET /v1/plans HTTP/1.1\r\nhost: local")
                #expect(try await connection.isClosed())
            }
        }
    }

    @Test("All unfinished bodies together are bounded, and what is beyond is told to come again")
    func budget() async throws {
        let body = try Fixtures.event("subscription_created")
        try await withLimits(\.heldBytes, 100_000) { server in
            try await server.client.connect { holder in
                try await holder.write(Self.head([], "content-length: 99000\r\n"))
                try await holder.write([UInt8](repeating: 32, count: 98_999))
                try await eventually {
                    let metrics = try await server.admin.send("GET", "/metrics").text
                    return metrics.contains("selextract_body_bytes_held 98999\n")
                }
                let refused = try await server.deliver(body)
                #expect(refused.status == 503)
                #expect(refused["retry-after"] == "5")
                try await holder.write(" ")
                #expect(try await holder.reply().status == 401)
            }
            #expect(try await server.deliver(body).status == 200)
            #expect(try await server.admin.send("GET", "/metrics").text.contains("selextract_body_bytes_held 0\n"))
        }
    }

    @Test("A request answered before it was read ends its connection, and the answer arrives")
    func answeredEarly() async throws {
        try await withLimits { server in
            try await server.client.connect { connection in
                try await connection.write("POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n\r\n")
                for _ in 0..<10 { try await connection.write([UInt8](repeating: 32, count: 100_000)) }
                let reply = try await connection.reply()
                #expect(reply.status == 404)
                #expect(reply["connection"] == "close")
            }
        }
    }
}
