import Foundation
import NIOCore
import NIOPosix

/// An answer as it came.
public struct HTTPReply: Sendable {
    public var status: Int
    /// Names in lower case.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public var text: String { String(decoding: body, as: UTF8.self) }

    public subscript(_ name: String) -> String? {
        headers.first { $0.name == name.lowercased() }?.value
    }

    /// A member of the body's JSON object, if it is a string or a number.
    public func member(_ name: String) -> String? {
        let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
        return object?[name].map { "\($0)" }
    }
}

/// An HTTP/1.1 client for tests: it sends exactly what it is told, also what is no HTTP.
public struct HTTPClient: Sendable {
    public typealias Header = (name: String, value: String)

    public struct Failure: Error, CustomStringConvertible {
        public let description: String

        public init(description: String) { self.description = description }
    }

    public let host: String
    public let port: Int

    public init(host: String = "127.0.0.1", port: Int) {
        self.host = host
        self.port = port
    }

    /// One request on a connection of its own.
    public func send(
        _ method: String, _ path: String, headers: [Header] = [], body: [UInt8]? = nil
    ) async throws -> HTTPReply {
        try await connect { connection in
            try await connection.send(method, path, headers: headers, body: body)
        }
    }

    /// Bytes as they are, on a connection of their own.
    public func sendRaw(_ bytes: [UInt8]) async throws -> HTTPReply {
        try await connect { connection in
            try await connection.write(bytes)
            return try await connection.reply()
        }
    }

    /// Lends a connection, and closes it afterwards.
    public func connect<Result: Sendable>(
        _ body: (HTTPConnection) async throws -> Result
    ) async throws -> Result {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await body(HTTPConnection(inbound: inbound.makeAsyncIterator(), outbound: outbound))
        }
    }
}

/// A connection whose requests and answers are sent and read one by one.
public final class HTTPConnection {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var received: [UInt8] = []

    init(
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound
        self.outbound = outbound
    }

    public func send(
        _ method: String, _ path: String, headers: [HTTPClient.Header] = [], body: [UInt8]? = nil
    ) async throws -> HTTPReply {
        var head = "\(method) \(path) HTTP/1.1\r\nhost: localhost\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "content-length: \(body.count)\r\n" }
        do {
            try await write(Array((head + "\r\n").utf8) + (body ?? []))
        } catch {
            // Refused before it was all written: the answer says why.
        }
        return try await reply(hasBody: method != "HEAD")
    }

    public func write(_ bytes: [UInt8]) async throws {
        try await outbound.write(ByteBuffer(bytes: bytes))
    }

    public func write(_ text: String) async throws {
        try await write(Array(text.utf8))
    }

    /// Nothing more will be sent.
    public func finish() {
        outbound.finish()
    }

    /// The next answer, informational ones included. `hasBody` is false for the answer to HEAD, whose length is that of a
    /// body that does not come.
    public func reply(hasBody: Bool = true) async throws -> HTTPReply {
        let end = Array("\r\n\r\n".utf8)
        while received.firstRange(of: end) == nil {
            guard try await read() else { throw HTTPClient.Failure(description: "closed without an answer") }
        }
        guard let range = received.firstRange(of: end) else { preconditionFailure("found above") }
        let lines = String(decoding: received[..<range.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        received.removeSubrange(..<range.upperBound)
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else {
            throw HTTPClient.Failure(description: "no answer: \(lines[0])")
        }
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (
                name: parts[0].lowercased(), value: String(parts.last ?? "").trimmingCharacters(in: .whitespaces)
            )
        }
        var reply = HTTPReply(status: status, headers: headers, body: [])
        let length = hasBody ? reply["content-length"].flatMap(Int.init) ?? 0 : 0
        while received.count < length {
            guard try await read() else { throw HTTPClient.Failure(description: "closed within an answer") }
        }
        reply.body = Array(received.prefix(length))
        received.removeFirst(length)
        return reply
    }

    /// Whether the server has closed its side, with nothing left to read.
    public func isClosed() async throws -> Bool {
        guard received.isEmpty else { return false }
        do {
            return try await !read()
        } catch is IOError {
            return true
        }
    }

    private func read() async throws -> Bool {
        guard let buffer = try await inbound.next(isolation: #isolation) else { return false }
        received.append(contentsOf: buffer.readableBytesView)
        return true
    }
}
