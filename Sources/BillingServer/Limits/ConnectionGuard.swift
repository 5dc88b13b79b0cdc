import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The whole request did not come in time. Thrown to what reads its body.
struct BodyDeadlineExceeded: Error {}

/// Counts connections across all event loops.
final class ConnectionCount: Sendable {
    private let count = Atomic<Int>(0)

    var current: Int { count.load(ordering: .relaxed) }
    func opened() -> Int { count.add(1, ordering: .relaxed).newValue }
    func closed() { count.subtract(1, ordering: .relaxed) }
}

/// What the listener demands of a connection, beside what Hummingbird does: a deadline for each whole request, a bound on
/// the number of connections, an answer to what is not HTTP, `100 Continue`, and an end to requests that were answered
/// before they were read.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long a connection that was answered early may go on sending, so that the answer is not lost in a reset.
    static let lingering: TimeAmount = .seconds(1)

    private let limits: Limits
    private let connections: ConnectionCount
    private var isCounted = false
    private var isExcess = false
    /// Between a request's head and its end.
    private var isReading = false
    private var unanswered = 0
    /// The answer was sent, and what still comes is thrown away.
    private var isClosing = false
    private var deadline: Scheduled<Void>?

    init(limits: Limits, connections: ConnectionCount) {
        self.limits = limits
        self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) {
        isCounted = true
        isExcess = connections.opened() > limits.connections
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        if isCounted { connections.closed() }
        isCounted = false
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(let request):
            isReading = true
            if isExcess { return refuse(.unavailable, context) }
            continueIfExpected(request, context)
            unanswered += 1
        case .body: break
        case .end:
            isReading = false
            deadline?.cancel()
            deadline = nil
        }
        context.fireChannelRead(data)
    }

    /// A request of which all came at once needs no deadline: only one whose end is still to come gets it.
    func channelReadComplete(context: ChannelHandlerContext) {
        if isReading, !isClosing, deadline == nil { startDeadline(context) }
        context.fireChannelReadComplete()
    }

    private func startDeadline(_ context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limits.bodyDeadline)) {
            context.fireErrorCaught(BodyDeadlineExceeded())
        }
    }

    /// Only if the body will be read, and no answer is under way that this one would get into.
    private func continueIfExpected(_ request: HTTPRequest, _ context: ChannelHandlerContext) {
        guard request.headerFields[.expect]?.lowercased() == "100-continue", unanswered == 0,
            request.headerFields[.contentLength].flatMap(Int.init) ?? 0 <= limits.bodySize
        else { return }
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var response) where isReading && response.status.kind != .informational:
            response.headerFields[.connection] = "close"
            context.write(wrapOutboundOut(.head(response)), promise: promise)
        case .end where isReading:
            unanswered -= 1
            context.writeAndFlush(data, promise: promise)
            stopReading(context)
        case .end:
            unanswered -= 1
            context.write(data, promise: promise)
        default:
            context.write(data, promise: promise)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isClosing { return }
        if unanswered > 0 || error is IOError || error is ChannelError {
            context.fireErrorCaught(error)
        } else {
            refuse(.malformedRequest, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isClosing, case .inputClosed? = event as? ChannelEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Answers in place of the application, and ends the connection.
    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        let requestID = RequestID()
        let response = problem.response(requestID: requestID)
        var head = response.head
        head.headerFields[.requestID] = requestID.description
        head.headerFields[.connection] = "close"
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(problem.document(requestID: requestID))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        stopReading(context)
    }

    private func stopReading(_ context: ChannelHandlerContext) {
        isClosing = true
        deadline?.cancel()
        deadline = nil
        context.close(mode: .output, promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingering) {
            context.close(promise: nil)
        }
    }
}
