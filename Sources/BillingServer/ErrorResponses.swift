import Databases
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Storage

/// Gives every answer its request id, and turns every error into a ``Problem`` that discloses nothing internal.
struct ErrorResponses: RouterMiddleware {
    typealias Context = IdentifiedContext

    /// Tells 404 from 405: the router answers an unknown address and a wrong method alike.
    let allowedMethods: AllowedMethods
    let metrics: Metrics

    @concurrent
    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let problem = problem(for: error, request, context)
            response = problem.response(requestID: context.requestID)
        }
        response.headers[.requestID] = context.requestID.description
        if request.method == .head { response = response.createHeadResponse() }
        let route = response.status == .notFound ? nil : context.endpointPath
        metrics.requestDurations.observe(
            ContinuousClock.now - start, route: route ?? RequestDurations.noRoute, status: response.status)
        return response
    }

    private func problem(for error: any Error, _ request: Request, _ context: Context) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case is BodyDeadlineExceeded: return .bodyTooSlow
        case is HTTPParserError, is IOError, is ChannelError: return .malformedRequest
        case let error as any HTTPResponseError where error.status == .notFound:
            let allowed = allowedMethods.at(request.uri.path)
            return allowed.isEmpty ? .notFound : .methodNotAllowed(allowed)
        case let error as any HTTPResponseError where (400..<500).contains(error.status.code):
            return .malformedRequest
        case let error as StoreError:
            context.log.error("request failed", metadata: ["error": "\(error)"])
            return switch error {
            // Before the database has been made ready it may have no schema, or an older one.
            case .unavailable, .busy, .tooSlow, .schema: .unavailable
            default: .internalError
            }
        case is CancellationError: return .unavailable
        default:
            context.log.error("request failed", metadata: ["error.type": "\(type(of: error))"])
            return .internalError
        }
    }
}

/// The methods that each address answers to.
struct AllowedMethods: Sendable {
    private let routes: [(pattern: [Substring], methods: [HTTPRequest.Method])]

    init(_ routes: [(key: String, value: [HTTPRequest.Method])]) {
        self.routes = routes.map { ($0.key.split(separator: "/"), $0.value) }
    }

    /// Empty if there is no such address.
    func at(_ path: String) -> [HTTPRequest.Method] {
        let components = path.split(separator: "/")
        let route = routes.first { route in
            route.pattern.count == components.count
                && zip(route.pattern, components).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        return route?.methods ?? []
    }
}
