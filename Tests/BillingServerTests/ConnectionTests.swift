import BillingServer
import Foundation
import Payloads
import Storage
import TestSupport
import Testing

@Suite("The number and the life of connections", .timeLimit(.minutes(15)))
struct ConnectionTests {
    private func withLimits<Result: Sendable>(
        _ change: (inout Limits) -> Void, _ body: (RunningServer) async throws -> Result
    ) async throws -> Result {
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(
                try database.open(),
                options: {
                    // However long the machine is busy with other things.
                    $0.limits.idleTimeout = .seconds(600)
                    $0.limits.bodyDeadline = .seconds(600)
                    change(&$0.limits)
                }, body)
        }
    }

    private static func head(_ body: [UInt8], length: Int) -> [UInt8] {
        Array(
            ("POST /webhooks/lemon-squeezy HTTP/1.1\r\nhost: localhost\r\ncontent-length: \(length)\r\n"
                + "x-signature: \(RunningServer.signature(body).value)\r\n\r\n").utf8)
    }

    @Test("At the limit the connection that was idle longest makes room")
    func idleMakesRoom() async throws {
        try await withLimits {
            $0.connections = 3
        } _: { server in
            try await server.client.connect { first in
                #expect(try await first.send("GET", "/v1/plans").status == 200)
                try await server.client.connect { second in
                    #expect(try await second.send("GET", "/v1/plans").status == 200)
                    try await server.client.connect { third in
                        #expect(try await third.send("GET", "/v1/plans").status == 200)
                        // Used again, so that it is not the one that is idle longest any more.
                        #expect(try await first.send("GET", "/v1/plans").status == 200)
                        try await server.client.connect { fourth in
                            let reply = try await fourth.send("GET", "/v1/plans")
                            #expect(reply.status == 200)
                            #expect(try await second.isClosed())
                            #expect(try await first.send("GET", "/v1/plans").status == 200)
                            #expect(try await third.send("GET", "/v1/plans").status == 200)
                        }
                    }
                }
            }
        }
    }

    @Test("Connections beyond the limit are told to come again if none is idle")
    func noneIsIdle() async throws {
        try await withLimits {
            $0.connections = 4
        } _: { server in
            try await Self.nested(4, server) {
                let reply = try await server.client.send("GET", "/v1/plans")
                #expect(reply.status == 503)
                #expect(reply["retry-after"] == "5")
                #expect(reply["x-request-id"] != nil)
            }
            #expect(try await server.client.send("GET", "/v1/plans").status == 200)
        }
    }

    /// Runs `body` while so many connections wait for the rest of a body.
    private static func nested(_ count: Int, _ server: RunningServer, _ body: () async throws -> Void) async throws {
        guard count > 0 else { return try await body() }
        let delivery = try Fixtures.event("subscription_created")
        try await server.client.connect { connection in
            try await connection.write(head(delivery, length: delivery.count) + delivery.prefix(100))
            let held = 100 * (5 - count)
            try await eventually {
                try await server.admin.send("GET", "/metrics").text.contains("selextract_body_bytes_held \(held)\n")
            }
            try await nested(count - 1, server, body)
            try await connection.write(Array(delivery.dropFirst(100)))
            #expect(try await connection.reply().status == 200)
        }
    }

    @Test("A connection without a request is closed when its life is over")
    func lifeOfIdle() async throws {
        try await withLimits {
            $0.connectionLife = .seconds(6)
        } _: { server in
            try await server.client.connect { connection in
                let reply = try await connection.send("GET", "/v1/plans")
                #expect(reply["connection"] == nil)
                #expect(try await connection.isClosed())
            }
        }
    }

    @Test("A request that is under way when the life is over is answered, and is the last")
    func lifeOfBusy() async throws {
        let body = try Fixtures.event("subscription_created")
        try await withLimits {
            // Long enough for a request's head to come on a machine that is busy.
            $0.connectionLife = .seconds(6)
        } _: { server in
            try await server.client.connect { connection in
                try await connection.write(Self.head(body, length: body.count) + body.prefix(100))
                // One that was opened later has come to its end.
                let isOver = try await server.client.connect { later in try await later.isClosed() }
                #expect(isOver)
                try await connection.write(Array(body.dropFirst(100)))
                let reply = try await connection.reply()
                #expect(reply.status == 200)
                #expect(reply["connection"] == "close")
                #expect(try await connection.isClosed())
            }
        }
    }

    @Test("After so many requests a connection ends with the last one's answer")
    func requests() async throws {
        try await withLimits {
            $0.requestsPerConnection = 3
        } _: { server in
            try await server.client.connect { connection in
                for _ in 0..<2 { #expect(try await connection.send("GET", "/v1/plans")["connection"] == nil) }
                let last = try await connection.send("GET", "/v1/plans")
                #expect(last.status == 200)
                #expect(last["connection"] == "close")
                #expect(try await connection.isClosed())
            }
            // Sent at once, those beyond the last are not looked at: they may be sent again.
            let bodies = try ["subscription_created", "order_created", "subscription_updated", "subscription_paused"]
                .map { try Fixtures.event($0) }
            try await server.client.connect { connection in
                try await connection.write(bodies.flatMap { Self.head($0, length: $0.count) + $0 })
                var closes: [String?] = []
                for _ in 0..<3 {
                    let reply = try await connection.reply()
                    #expect(reply.status == 200)
                    closes.append(reply["connection"])
                }
                #expect(closes == [nil, nil, "close"])
                #expect(try await connection.isClosed())
            }
            #expect(try await server.events().count == 3)
        }
    }

    @Test("Many deliveries sent at once on one connection are answered in their order")
    func pipelined() async throws {
        let bodies = (0..<40).map { number in
            var subscription = ProviderSubscription(
                userID: nil, createdAt: .testNow, renewsAt: Date.testNow.addingTimeInterval(2_592_000))
            subscription.id = String(930_000 + number)
            return subscription.event("subscription_created", delivery: number)
        }
        try await withLimits { _ in
        } _: { server in
            try await server.client.connect { connection in
                try await connection.write(bodies.flatMap { Self.head($0, length: $0.count) + $0 })
                for body in bodies {
                    let reply = try await connection.reply()
                    #expect(reply.status == 200)
                    let id = try #require(reply.member("event_id").flatMap(UUID.init(uuidString:)))
                    #expect(try await server.store.eventBody(id) == body)
                }
            }
        }
    }

    @Test("An answer that comes while the next request is still being sent does not end the connection")
    func answeredWhileReading() async throws {
        let (first, second) = (try Fixtures.event("subscription_created"), try Fixtures.event("order_created"))
        try await withLimits { _ in
        } _: { server in
            try await server.client.connect { connection in
                try await connection.write(
                    Self.head(first, length: first.count) + first + Self.head(second, length: second.count)
                        + second.prefix(100))
                let reply = try await connection.reply()
                #expect(reply.status == 200)
                #expect(reply["connection"] == nil)
                try await connection.write(Array(second.dropFirst(100)))
                #expect(try await connection.reply().member("status") == "ignored")
            }
        }
    }

    @Test("A client that asks and never reads is cut off")
    func neverReads() async throws {
        let change: (inout Limits) -> Void = { limits in
            limits.writeDeadline = .milliseconds(300)
            // Neither of these is what ends it.
            limits.requestsPerConnection = .max
            limits.idleTimeout = .seconds(600)
        }
        try await withLimits(change) { server in
            let client = try RawClient(port: server.client.port)
            defer { client.close() }
            // More than the kernel's buffers hold, of answers and of requests.
            let isCut = try await client.sendWithoutReading("GET /v1/plans HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(isCut)
            try await eventually {
                try await server.admin.send("GET", "/metrics").text.contains("selextract_connections_open 0\n")
            }
        }
    }

    @Test("Large bodies leave room for small ones")
    func smallBodies() async throws {
        let body = try Fixtures.event("subscription_created")
        let change: (inout Limits) -> Void = { limits in
            limits.heldBytes = 100_000
            limits.heldLargeBytes = 60_000
            limits.smallBodySize = 20_000
        }
        try await withLimits(change) { server in
            try await server.client.connect { holder in
                try await holder.write(Self.head([], length: 59_000) + [UInt8](repeating: 32, count: 58_000))
                try await eventually {
                    try await server.admin.send("GET", "/metrics").text.contains("selextract_body_bytes_held 58000\n")
                }
                // There is room for both, but only small ones may take it.
                #expect(try await server.deliver([UInt8](repeating: 32, count: 30_000)).status == 503)
                #expect(try await server.deliver(body).status == 200)
                try await holder.write([UInt8](repeating: 32, count: 1000))
                #expect(try await holder.reply().status == 401)
            }
            #expect(try await server.deliver([UInt8](repeating: 32, count: 30_000)).status == 400)
            #expect(try await server.admin.send("GET", "/metrics").text.contains("selextract_body_bytes_held 0\n"))
        }
    }
}

/// A socket that sends and never reads.
private struct RawClient {
    private let socket: Int32

    init(port: Int) throws {
        socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0 || errno == EINPROGRESS)
    }

    func close() { _ = Foundation.close(socket) }

    /// Sends the same again and again until the other side has closed the connection.
    func sendWithoutReading(_ text: String) async throws -> Bool {
        let bytes = Array(String(repeating: text, count: 100).utf8)
        var offset = 0
        while true {
            try Task.checkCancellation()
            let sent = bytes[offset...].withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if sent > 0 {
                offset = (offset + sent) % bytes.count
            } else if errno == EAGAIN || errno == EINPROGRESS || errno == ENOTCONN {
                await Task.yield()
            } else {
                return errno == EPIPE || errno == ECONNRESET
            }
        }
    }
}
