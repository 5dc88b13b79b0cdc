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

/// Who may see the console, and act in it: tokens, sessions, and what a request has to say about where it comes from.
public final class ConsoleAccess: Sendable {
    /// What opens it.
    public struct Tokens: Sendable {
        public var `operator`: String?
        public var viewer: String?
        /// Opens a session of an operator once; for development on loopback.
        public var ticket: String?

        public init(operator: String? = nil, viewer: String? = nil, ticket: String? = nil) {
            self.operator = `operator`
            self.viewer = viewer
            self.ticket = ticket
        }
    }

    /// Why a request is refused: an HTTP status, and a sentence.
    struct Refusal: Error, Hashable {
        var status: Int
        var text: String
    }

    static let cookie = "selextract_console"
    private static let sessionLength: Duration = .seconds(12 * 3600)
    private static let capacity = 1000

    private struct State {
        /// Whether the ticket was used.
        var ticket: [UInt8]?
        /// By the digest of what the cookie holds.
        var sessions: [[UInt8]: (role: ConsoleRole, since: ContinuousClock.Instant)] = [:]
        var failures: [String: (since: ContinuousClock.Instant, count: Int)] = [:]
    }

    private let tokens: [(digest: [UInt8], role: ConsoleRole)]
    private let hosts: Set<String>
    private let state: Mutex<State>
    private let failuresAMinute: Int

    /// - Parameters:
    ///   - hosts: names without a port, under which it answers beside loopback's.
    ///   - failuresAMinute: how many wrong tokens an address may try in a minute.
    public init(_ tokens: Tokens, hosts: [String] = [], failuresAMinute: Int = 10) {
        self.tokens = [
            tokens.operator.map { (SHA256.digest(Array($0.utf8)), .operator) },
            tokens.viewer.map { (SHA256.digest(Array($0.utf8)), .viewer) },
        ].compactMap(\.self)
        self.hosts = Set(hosts.map { $0.lowercased() })
        state = Mutex(State(ticket: tokens.ticket.map { SHA256.digest(Array($0.utf8)) }))
        self.failuresAMinute = failuresAMinute
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
        guard let host = request.header("host"), let name = Self.name(ofHost: host),
            ["localhost", "127.0.0.1", "[::1]"].contains(name) || hosts.contains(name)
        else {
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

    /// Who sends a request; nil: nobody that is known.
    func role(of request: ConsoleRequest) throws(Refusal) -> ConsoleRole? {
        if let authorization = request.header("authorization"), authorization.lowercased().hasPrefix("bearer ") {
            return try role(ofToken: String(authorization.dropFirst(7)), from: request.peer)
        }
        let prefix = Self.cookie + "="
        let values = (request.headers["cookie"] ?? []).flatMap { $0.split(separator: ";") }
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0.hasPrefix(prefix) }
        guard values.count == 1 else { return nil }
        let digest = SHA256.digest(Array(values[0].dropFirst(prefix.count).utf8))
        return state.withLock { state in
            guard let session = state.sessions[digest] else { return nil }
            guard ContinuousClock.now - session.since < Self.sessionLength else {
                state.sessions[digest] = nil
                return nil
            }
            return session.role
        }
    }

    /// Exchanges a token or the ticket for a session.
    ///
    /// - Returns: the cookie's field; nil if it is no token.
    func open(_ token: String, for request: ConsoleRequest) throws(Refusal) -> String? {
        let digest = SHA256.digest(Array(token.utf8))
        let isTicket = state.withLock { state in
            guard state.ticket == digest else { return false }
            state.ticket = nil
            return true
        }
        guard let role = isTicket ? .operator : try role(ofToken: token, from: request.peer) else { return nil }
        let session = Self.random()
        state.withLock { state in
            if state.sessions.count >= Self.capacity { state.sessions = [:] }
            state.sessions[SHA256.digest(Array(session.utf8))] = (role, .now)
        }
        // A cookie that left this machine in the clear would be anybody's.
        let isLocal = request.header("host").flatMap(Self.name(ofHost:)).map { !hosts.contains($0) } ?? false
        return "\(Self.cookie)=\(session); Path=/console; HttpOnly; SameSite=Strict" + (isLocal ? "" : "; Secure")
    }

    func close(_ request: ConsoleRequest) {
        let prefix = Self.cookie + "="
        for value in (request.headers["cookie"] ?? []).flatMap({ $0.split(separator: ";") }) {
            let value = value.trimmingCharacters(in: .whitespaces)
            guard value.hasPrefix(prefix) else { continue }
            let digest = SHA256.digest(Array(value.dropFirst(prefix.count).utf8))
            state.withLock { $0.sessions[digest] = nil }
        }
    }

    /// Digests are compared, so that the time it takes says nothing of a token.
    private func role(ofToken token: String, from peer: String) throws(Refusal) -> ConsoleRole? {
        let tooMany = state.withLock { state in
            guard let failures = state.failures[peer], ContinuousClock.now - failures.since < .seconds(60) else {
                return false
            }
            return failures.count >= failuresAMinute
        }
        if tooMany { throw Refusal(status: 429, text: "Too many wrong tokens from this address. Wait a minute.") }
        let digest = SHA256.digest(Array(token.utf8))
        if let role = tokens.first(where: { $0.digest == digest })?.role { return role }
        state.withLock { state in
            if state.failures.count >= Self.capacity, state.failures[peer] == nil { state.failures = [:] }
            if let failures = state.failures[peer], ContinuousClock.now - failures.since < .seconds(60) {
                state.failures[peer] = (failures.since, failures.count + 1)
            } else {
                state.failures[peer] = (.now, 1)
            }
        }
        return nil
    }

    /// Without the port; nil if it is no host.
    private static func name(ofHost host: String) -> String? {
        guard let match = host.lowercased().wholeMatch(of: #/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?/#) else {
            return nil
        }
        return String(match.1)
    }
}
