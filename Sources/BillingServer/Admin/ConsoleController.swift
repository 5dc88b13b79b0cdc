import Console
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
public import ServiceSettings
import Storage

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

extension Console {
    /// The console as the settings have it; nil: it is off, since nothing would keep anybody out.
    ///
    /// - Throws: `SettingsError`.
    init?(
        _ settings: Settings, store: Store, options: ApplicationOptions, logger: Logger
    ) throws(SettingsError) {
        var logins = ConsoleAccess.Logins(
            operatorToken: settings.consoleToken, viewerToken: settings.consoleViewerToken)
        if settings.opensConsoleByTicket { logins.ticket = options.consoleTicket }
        if let header = settings.consoleProxyHeader {
            guard let proxy = ProxyLogin(header: header, networks: settings.consoleProxyNetworks) else {
                throw SettingsError(
                    "SELEXTRACT_CONSOLE_PROXY_NETWORKS",
                    expected: "networks with commas between them, as 10.0.0.0/8 or 2001:db8::/32")
            }
            logins.proxy = proxy
        }
        guard !logins.isEmpty else { return nil }
        var surroundings = options.consoleSurroundings
        let durations = options.metrics.requestDurations
        surroundings.answerTimes = { durations.answered("/webhooks/lemon-squeezy", status: 200) }
        let readiness = ReadinessCheck(store: store)
        surroundings.readiness = { try await readiness.health() }
        surroundings.onFailure = {
            logger.error("a page of the console failed", metadata: ["error": "\($0.loggable)"])
        }
        self.init(
            store: store, pages: options.consolePages, policy: settings.policy,
            access: ConsoleAccess(logins, hosts: settings.consoleHosts), surroundings: surroundings)
    }
}

extension Settings {
    /// Whether there is a console, which only somebody who can log in opens.
    public var opensConsole: Bool {
        adminPort != nil
            && (consoleToken != nil || consoleViewerToken != nil || consoleProxyHeader != nil || opensConsoleByTicket)
    }

    /// Whether a ticket opens the console: only in development, on loopback, and where nothing else does.
    public var opensConsoleByTicket: Bool {
        consoleToken == nil && consoleViewerToken == nil && consoleProxyHeader == nil
            && environment.lowercased() == "development" && ["127.0.0.1", "::1", "localhost"].contains(adminHost)
    }
}
