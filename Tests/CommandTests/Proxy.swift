import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// A port through which a program reaches a server, and that can go silent: it takes everything and passes nothing on,
/// as a network does that loses all packets.
final class Proxy: Sendable {
    let port: Int
    private let target: String
    private let listener: Int32
    private let isSilent = Atomic(false)
    private let sockets = Mutex<[Int32]>([])

    /// - Parameters:
    ///   - path: the server's socket.
    ///   - port: 0: any that is free.
    init(to path: String, on port: Int = 0) throws {
        target = path
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = UInt16(port).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRINUSE) }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { self.accept() }
    }

    /// To the server of a test's database.
    convenience init(to database: TestDatabase, on port: Int = 0) throws {
        let url = try #require(URLComponents(string: database.url))
        try self.init(to: "\(url.host ?? "")/.s.PGSQL.\(try #require(url.port))", on: port)
    }

    /// A database of that server, as it is reached through here.
    func url(of database: TestDatabase) throws -> String {
        var url = try #require(URLComponents(string: database.url))
        (url.host, url.port) = ("127.0.0.1", port)
        return try #require(url.string)
    }

    func goSilent() { isSilent.store(true, ordering: .sequentiallyConsistent) }

    /// Ends it, and cuts what goes through it.
    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        sockets.withLock { sockets in
            for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    private func accept() {
        while case let client = Glibc.accept(listener, nil, nil), client >= 0 {
            let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            sockets.withLock { $0 += [client, server] }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: target.utf8.prefix($0.count - 1)) }
            let isConnected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(server, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
                }
            }
            guard isConnected else {
                shutdown(client, Int32(SHUT_RDWR))
                continue
            }
            Thread.detachNewThread { self.pass(from: client, to: server) }
            Thread.detachNewThread { self.pass(from: server, to: client) }
        }
        Glibc.close(listener)
    }

    private func pass(from source: Int32, to destination: Int32) {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(source, &bytes, bytes.count), count > 0 {
            if isSilent.load(ordering: .sequentiallyConsistent) { continue }
            var sent = 0
            while sent < count {
                let written = bytes.withUnsafeBytes {
                    send(
                        destination, $0.baseAddress.unsafelyUnwrapped + sent, count - sent, Int32(MSG_NOSIGNAL)
                    )
                }
                guard written > 0 else { break }
                sent += written
            }
        }
        if !isSilent.load(ordering: .sequentiallyConsistent) { shutdown(destination, Int32(SHUT_RDWR)) }
    }
}
