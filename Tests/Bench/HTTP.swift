import Foundation

/// One connection on which requests follow each other, each waited for: what a single delivery takes.
final class HTTP {
    private let socket: Int32

    /// nil: nobody listens.
    init?(port: Int) {
        socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var isOn: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, 4)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { return nil }
    }

    deinit { close(socket) }

    static func get(_ path: String, port: Int) -> Reply? {
        guard let connection = HTTP(port: port) else { return nil }
        return try? connection.send(Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
    }

    struct Reply {
        var status: Int
        var head: String
        var body: [UInt8]

        func header(_ name: String) -> String? {
            head.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
                .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
    }

    func send(_ request: [UInt8]) throws -> Reply {
        var sent = 0
        while sent < request.count {
            let count = request[sent...].withUnsafeBytes {
                Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure("the connection is closed") }
            sent += count
        }
        let end = Array("\r\n\r\n".utf8)
        var received: [UInt8] = []
        while true {
            if let range = received.firstRange(of: end) {
                let head = String(decoding: received[..<range.lowerBound], as: UTF8.self)
                let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
                var reply = Reply(status: status, head: head, body: [])
                let length = reply.header("content-length").flatMap { Int($0) } ?? 0
                reply.body = Array(received[range.upperBound...])
                if reply.body.count >= length { return reply }
            }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 60_000) == 1 else { throw Failure("there is no answer") }
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { throw Failure("the connection was closed without an answer") }
            received += buffer.prefix(count)
        }
    }

    /// A port that is free now.
    static func freePort() -> Int {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 ? getsockname(socket, $0, &length) : -1
            }
        }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}
