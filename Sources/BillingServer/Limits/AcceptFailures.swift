import Logging
import NIOCore

/// Stands before the listening socket and says when connections cannot be accepted, for want of descriptors or memory.
///
/// NIO waits a second before it tries again. Meanwhile connections that are idle are closed, so that there is something
/// to accept new ones with.
final class AcceptFailures: ChannelInboundHandler, Sendable {
    typealias InboundIn = Channel

    /// How many are closed each time.
    private static let share = 32

    private let connections: ConnectionRegistry
    private let logger: Logger

    init(connections: ConnectionRegistry, logger: Logger) {
        self.connections = connections
        self.logger = logger
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError {
            logger.error("connections cannot be accepted", metadata: ["error": "\(error)"])
            connections.closeIdle(Self.share)
        }
        context.fireErrorCaught(error)
    }
}
