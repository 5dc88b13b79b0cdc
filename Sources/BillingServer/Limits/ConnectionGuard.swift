import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes

/// The whole request did not come in time. Thrown to what reads its body.
struct BodyDeadlineExceeded: Error {}

/// What the listener demands of a connection, beside what Hummingbird does: a deadline for each whole request, and one for
/// taking the answers; a bound on the number of connections, and on the life of each; an answer to what is not HTTP,
/// `100 Continue`, and an end to requests that were answered before they were read.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long a connection that was answered early may go on sending, so that the answer is not lost in a reset.
    static let lingering: TimeAmount = .seconds(1)

    private let limits: Limits
    private let connections: ConnectionRegistry
    /// Registered for as long as it is not nil.
    private var entry: ConnectionRegistry.Entry?
    private var isExcess = false
    /// Between a request's head and its end.
    private var isReading = false
    private var requests = 0
    private var unanswered = 0
    /// No further request is accepted: its life or its requests are used up.
    private var isEnding = false
    /// A further request came, which is not accepted.
    private var isDiscarding = false
    /// The answer was sent, and what still comes is thrown away.
    private var isClosing = false
    private var deadline: Scheduled<Void>?
    private var life: Scheduled<Void>?
    /// Answers that are written, but have not all gone to the socket.
    private var unsent = 0
    /// Counts what shows that the client takes answers.
    private var taken = 0
    private var writeDeadline: Scheduled<Void>?

    init(limits: Limits, connections: ConnectionRegistry) {
        self.limits = limits
        self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let entry = ConnectionRegistry.Entry {
            here.eventLoop.execute { here.value.0.closeIfIdle(here.value.1) }
        }
        self.entry = entry
        connections.count.opened()
        isExcess = !connections.register(entry)
        life = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limits.connectionLife)) {
            self.isEnding = true
            if self.isIdle { context.close(promise: nil) }
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        for task in [deadline, life, writeDeadline] { task?.cancel() }
        guard let entry else { return }
        connections.unregister(entry)
        connections.count.closed()
        self.entry = nil
    }

    private var isIdle: Bool { unanswered == 0 && !isReading }

    /// Told by the registry, which has given this connection's place to another.
    private func closeIfIdle(_ context: ChannelHandlerContext) {
        guard let entry else { return }
        if isIdle || isClosing { context.close(promise: nil) } else { connections.keep(entry) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing, !isDiscarding else { return }
        switch unwrapInboundIn(data) {
        case .head(let request):
            if isEnding {
                isDiscarding = true
                return
            }
            isReading = true
            entry?.set(idle: isIdle)
            if isExcess, !connections.hasRoom() { return refuse(.unavailable, context) }
            isExcess = false
            requests += 1
            if requests >= limits.requestsPerConnection { isEnding = true }
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
        case .head(var response) where isLastAnswer && response.status.kind != .informational:
            response.headerFields[.connection] = "close"
            context.write(wrapOutboundOut(.head(response)), promise: promise)
        case .end:
            let isLast = isLastAnswer
            unanswered -= 1
            let sent = promise ?? context.eventLoop.makePromise()
            unsent += 1
            sent.futureResult.assumeIsolated().whenComplete { _ in
                self.unsent -= 1
                self.taken += 1
            }
            if isLast {
                context.writeAndFlush(data, promise: sent)
                stopReading(context)
            } else {
                context.write(data, promise: sent)
                entry?.set(idle: isIdle)
            }
        default:
            context.write(data, promise: promise)
        }
    }

    /// Whether the answer that is being written ends the connection: to a request that has not all come, or to the last
    /// one that is accepted. If several are unanswered, it is the first of them that is answered now.
    private var isLastAnswer: Bool { unanswered == 1 && (isReading || isEnding) }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        if unsent > 0 { watchWrites(context) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        taken += 1
        if !context.channel.isWritable { watchWrites(context) }
        context.fireChannelWritabilityChanged()
    }

    /// Closes the connection if its client takes nothing for too long. A kernel's buffers take many answers before one
    /// waits here.
    private func watchWrites(_ context: ChannelHandlerContext) {
        guard writeDeadline == nil else { return }
        let before = taken
        let loop = context.eventLoop.assumeIsolated()
        writeDeadline = loop.scheduleTask(in: TimeAmount(limits.writeDeadline)) {
            self.writeDeadline = nil
            guard self.unsent > 0 || !context.channel.isWritable else { return }
            if self.taken == before {
                context.close(promise: nil)
            } else {
                self.watchWrites(context)
            }
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
