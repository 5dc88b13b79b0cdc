import Glibc
import NIOCore
import NIOPosix
import ServiceLifecycle
public import ServiceSettings

/// A port that cannot be listened on.
public struct PortError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String
}

/// Resolves and binds both ports once, so that a taken one is told before anything runs.
///
/// - Throws: ``PortError``.
public func checkPorts(_ settings: Settings) async throws {
    var ports = [(setting: "PORT", host: settings.host, port: settings.port)]
    if let port = settings.adminPort { ports.append(("ADMIN_PORT", settings.adminHost, port)) }
    var bound: [any Channel] = []
    var failure: PortError?
    for (setting, host, port) in ports where failure == nil {
        do {
            bound.append(
                try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
                    // Who connects meanwhile is not accepted, but reset when it closes: nobody would answer.
                    .serverChannelOption(ChannelOptions.autoRead, value: false)
                    .bind(host: host, port: port).get())
        } catch {
            failure = PortError(description: "\(setting)=\(port) on \(host): \(PortError.sentence(for: error))")
        }
    }
    for channel in bound { try? await channel.close() }
    if let failure { throw failure }
}

extension PortError {
    fileprivate static func sentence(for error: any Error) -> String {
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE: "another program listens there; end it, or choose another port"
        case EACCES: "this user may not open so low a port; choose one from 1024 on"
        case EADDRNOTAVAIL: "this machine has no such address"
        case let code?: String(cString: strerror(code))
        case nil: "the host cannot be resolved to an address of this machine"
        }
    }
}

/// Something that happens once, and that one service waits for.
final class Milestone: Sendable {
    private let (stream, continuation) = AsyncStream.makeStream(of: Never.self)

    func reach() { continuation.finish() }

    /// Returns when it is reached, or the task is cancelled.
    func wait() async { for await _ in stream {} }
}

/// A listener that begins after another has: Hummingbird's must not be stopped while they start, or what has connected by
/// then ends the process. So the one whose port may be refused begins first, alone.
struct LaterListener<Listener: Service>: Service {
    let listener: Listener
    let milestone: Milestone

    func run() async throws {
        await cancelWhenGracefulShutdown { await milestone.wait() }
        if Task.isCancelled || Task.isShuttingDownGracefully { return }
        try await listener.run()
    }
}
