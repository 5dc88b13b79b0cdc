import Console
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
public import ServiceSettings

/// `/console/`: the operators' pages, beside health and metrics.
struct ConsoleController: Controller {
    static let methods: KeyValuePairs<String, [HTTPRequest.Method]> = ["/console": [.get, .head, .post]]

    /// A form's, at most.
    private static let bodyLimit = 64 << 10

    let console: Console

    func addRoutes(to router: Router<IdentifiedContext>) {
        for path in ["/console", "/console/**"] as [RouterPath] {
            router.get(path) { try await answer($0, $1) }
            router.post(path) { try await answer($0, $1) }
        }
    }

    private func answer(_ request: Request, _ context: IdentifiedContext) async throws -> Response {
        let body = try await request.body.collect(upTo: Self.bodyLimit)
        var headers: [String: [String]] = [:]
        for field in request.headers { headers[field.name.canonicalName, default: []].append(field.value) }
        if let host = request.head.authority { headers["host", default: []].append(host) }
        let answer = await console.answer(
            ConsoleRequest(
                method: request.method == .head ? "GET" : request.method.rawValue, path: request.uri.path,
                query: request.uri.query ?? "", headers: headers, body: Array(body.readableBytesView),
                peer: context.remoteAddress?.ipAddress ?? ""))
        var fields = HTTPFields()
        for (name, value) in answer.headers {
            guard let name = HTTPField.Name(name) else { continue }
            fields.append(HTTPField(name: name, value: value))
        }
        return Response(
            status: .init(code: answer.status), headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}

extension Settings {
    /// Who may open the console; nil: it is off, since nothing would keep anybody out.
    ///
    /// - Parameter ticket: opens it once, in development on loopback, if no token is set.
    func consoleAccess(ticket: String?) -> ConsoleAccess? {
        var tokens = ConsoleAccess.Tokens(operator: consoleToken, viewer: consoleViewerToken)
        if opensConsoleByTicket { tokens.ticket = ticket }
        guard tokens.operator != nil || tokens.viewer != nil || tokens.ticket != nil else { return nil }
        return ConsoleAccess(tokens, hosts: consoleHosts)
    }

    /// Whether a ticket opens the console: only in development, on loopback, and where no token is set.
    public var opensConsoleByTicket: Bool {
        consoleToken == nil && consoleViewerToken == nil && environment.lowercased() == "development"
            && ["127.0.0.1", "::1", "localhost"].contains(adminHost)
    }
}
