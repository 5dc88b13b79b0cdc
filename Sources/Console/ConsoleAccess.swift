import Foundation
import LemonSqueezy
import Synchronization

/// What somebody may do.
public enum ConsoleRole: Sendable, Hashable {
    /// Reads.
    case viewer
    /// Reads and acts.
    case `operator`
}

/// Who asks.
struct Visitor: Sendable, Hashable {
    var role: ConsoleRole
    /// As a proxy names the person; else of the role, since a token has no name.
    var name: String
}

/// Who may see the console, and act in it: tokens, sessions, a proxy's word, and what a request has to say about where it
/// comes from.
public final class ConsoleAccess: Sendable {
    /// What opens it.
    public struct Logins: Sendable {
        public var operatorToken: String?
        public var viewerToken: String?
        /// Opens a session of an operator once; for development on loopback.
        public var ticket: String?
        public var proxy: ProxyLogin?

        public init(
            operatorToken: String? = nil, viewerToken: String? = nil, ticket: String? = nil, proxy: ProxyLogin? = nil
        ) {
            self.operatorToken = operatorToken
            self.viewerToken = viewerToken
            self.ticket = ticket
            self.proxy = proxy
        }

        public var isEmpty: Bool { operatorToken == nil && viewerToken == nil && ticket == nil && proxy == nil }
    }

    /// Why a request is refused: an HTTP status, and a sentence.
    struct Refusal: Error, Hashable {
        var status: Int
        var text: String
    }

    private struct Session {
        var visitor: Visitor
        var since: ContinuousClock.Instant
    }

    private struct State {
        /// Its digest; nil: there is none, or it was used.
        var ticket: [UInt8]?
        /// By the digest of what the cookie holds.
        var sessions: [[UInt8]: Session] = [:]
        var failures: [String: (since: ContinuousClock.Instant, count: Int)] = [:]
    }

    private static let cookie = "selextract_console"
    private static let sessionLength: Duration = .seconds(12 * 3600)
    private static let failureSpan: Duration = .seconds(60)
    /// Of sessions, and of addresses with failures.
    private static let capacity = 1000

    private let tokens: [(digest: [UInt8], role: ConsoleRole)]
    private let proxy: ProxyLogin?
    private let hosts: Set<String>
    private let failuresAMinute: Int
    private let state: Mutex<State>

    /// - Parameters:
    ///   - hosts: names without a port, under which it answers beside loopback's.
    ///   - failuresAMinute: how many wrong tokens an address may try in a minute.
    public init(_ logins: Logins, hosts: [String] = [], failuresAMinute: Int = 10) {
        tokens = [
            logins.operatorToken.map { (Self.digest($0), .operator) },
            logins.viewerToken.map { (Self.digest($0), .viewer) },
        ].compactMap(\.self)
        proxy = logins.proxy
        self.hosts = Set(hosts.map { $0.lowercased() })
        self.failuresAMinute = failuresAMinute
        state = Mutex(State(ticket: logins.ticket.map(Self.digest)))
    }

    /// 256 random bits of the operating system, as text.
    public static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// Refuses what another site, or another name of this machine, has sent.
    func admit(_ request: ConsoleRequest) throws(Refusal) {
        guard let host = request.header("host"), let name = Self.name(ofHost: host), isOwn(name) else {
            throw Refusal(status: 421, text: "The console does not answer under this name: SELEXTRACT_CONSOLE_HOSTS.")
        }
        let foreign = Refusal(status: 403, text: "The request came from another site.")
        if let site = request.headers["sec-fetch-site"] {
            guard site == ["same-origin"] || site == ["none"] && request.method == "GET" else { throw foreign }
        } else if let origin = request.headers["origin"] {
            guard origin == ["http://" + host] || origin == ["https://" + host] else { throw foreign }
        } else if request.method != "GET", request.headers["authorization"] == nil {
            // No browser leaves out both; a program says who it is.
            throw foreign
        }
    }

    /// Whether a browser tells the site that a request comes from. It does so on loopback and over HTTPS; else it tells the
    /// origin, but of a page without referrers `null`.
    func hearsOfSites(_ request: ConsoleRequest) -> Bool {
        request.header("sec-fetch-site") != nil
            || request.header("host").flatMap(Self.name).map(Self.loopback.contains) ?? false
    }

    /// Who sends a request; nil: nobody that is known.
    ///
    /// - Throws: if its address has tried too many tokens, or the proxy's header is not what a proxy sends.
    func visitor(of request: ConsoleRequest) throws(Refusal) -> Visitor? {
        // A program's own word first, also through a proxy.
        if request.headers["authorization"] != nil {
            guard let field = request.header("authorization"), field.lowercased().hasPrefix("bearer ") else {
                return nil
            }
            return try visitor(ofToken: String(field.dropFirst("bearer ".count)), from: request.peer)
        }
        if let proxy, let name = try proxy.name(in: request) { return Visitor(role: .operator, name: name) }
        let values = Self.cookies(of: request)
        guard values.count == 1 else { return nil }
        let digest = Self.digest(values[0])
        return state.withLock { state in
            guard let session = state.sessions[digest] else { return nil }
            guard ContinuousClock.now - session.since < Self.sessionLength else {
                state.sessions[digest] = nil
                return nil
            }
            return session.visitor
        }
    }

    /// Exchanges a token for a session.
    ///
    /// - Returns: the cookie's field; nil if it is no token.
    func open(token: String, for request: ConsoleRequest) throws(Refusal) -> String? {
        try visitor(ofToken: token, from: request.peer).map { session(of: $0, for: request) }
    }

    /// Exchanges the ticket for a session, once.
    ///
    /// - Returns: the cookie's field; nil if it is not the ticket, or was used.
    func open(ticket: String, for request: ConsoleRequest) -> String? {
        let digest = Self.digest(ticket)
        let isTicket = state.withLock { state in
            guard state.ticket == digest else { return false }
            state.ticket = nil
            return true
        }
        return isTicket ? session(of: Visitor(role: .operator, name: Self.name(of: .operator)), for: request) : nil
    }

    func close(_ request: ConsoleRequest) {
        for value in Self.cookies(of: request) {
            let digest = Self.digest(value)
            state.withLock { $0.sessions[digest] = nil }
        }
    }

    private func session(of visitor: Visitor, for request: ConsoleRequest) -> String {
        let value = Self.random()
        let digest = Self.digest(value)
        state.withLock { state in
            if state.sessions.count >= Self.capacity,
                let oldest = state.sessions.min(by: { $0.value.since < $1.value.since })
            {
                state.sessions[oldest.key] = nil
            }
            state.sessions[digest] = Session(visitor: visitor, since: .now)
        }
        // A cookie that left this machine in the clear would be anybody's.
        let isLocal = request.header("host").flatMap(Self.name(ofHost:)).map(Self.loopback.contains) ?? false
        return "\(Self.cookie)=\(value); Path=/console; HttpOnly; SameSite=Strict" + (isLocal ? "" : "; Secure")
    }

    /// Digests are compared, so that the time it takes says nothing of a token.
    private func visitor(ofToken token: String, from peer: String) throws(Refusal) -> Visitor? {
        let now = ContinuousClock.now
        let tries = state.withLock { state in
            state.failures[peer].map { now - $0.since < Self.failureSpan ? $0.count : 0 } ?? 0
        }
        guard tries < failuresAMinute else {
            throw Refusal(status: 429, text: "Too many wrong tokens from this address. Wait a minute.")
        }
        let digest = Self.digest(token)
        if let role = tokens.first(where: { $0.digest == digest })?.role {
            return Visitor(role: role, name: Self.name(of: role))
        }
        state.withLock { state in
            state.failures = state.failures.filter { now - $0.value.since < Self.failureSpan }
            if state.failures.count >= Self.capacity, state.failures[peer] == nil { state.failures = [:] }
            let before = state.failures[peer]
            state.failures[peer] = (before?.since ?? now, (before?.count ?? 0) + 1)
        }
        return nil
    }

    private static func name(of role: ConsoleRole) -> String { role == .viewer ? "viewer" : "operator" }

    private static func digest(_ text: String) -> [UInt8] { SHA256.digest(Array(text.utf8)) }

    private static func cookies(of request: ConsoleRequest) -> [String] {
        (request.headers["cookie"] ?? []).flatMap { $0.split(separator: ";") }
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0.hasPrefix(cookie + "=") }
            .map { String($0.dropFirst(cookie.count + 1)) }
    }

    // MARK: Names of this machine

    private static let loopback: Set = ["localhost", "127.0.0.1", "[::1]"]

    private func isOwn(_ name: String) -> Bool { Self.loopback.contains(name) || hosts.contains(name) }

    /// Without the port; nil if it is no host.
    private static func name(ofHost host: String) -> String? {
        guard let match = host.lowercased().wholeMatch(of: #/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?/#) else {
            return nil
        }
        return String(match.1)
    }
}
