public import Foundation
import FoundationNetworking
public import LemonSqueezy

/// Lemon Squeezy's API: one call after the other, no faster than its ``Pace``.
///
/// A GET that is answered 429 or 5xx, or not at all, is repeated; a POST or a PATCH never is, since nobody knows whether
/// the first had come to anything. No error, description or mirror shows the key.
public actor LemonSqueezyAPI {
    public static let address = "https://api.lemonsqueezy.com/v1"
    /// The most objects that a page may have.
    public static let pageSize = 100

    private let key: String
    private let base: URL
    private let pace: Pace
    private let exchange: HTTPExchange
    private var nextCall = ContinuousClock.now
    /// Of this minute's calls, as the last answer said.
    private var remaining: Int?
    /// How many calls were sent, repetitions included.
    public private(set) var calls = 0
    /// Of the last answer that had one: how far its clock is ahead of this machine's, in seconds, give or take one.
    public private(set) var clockAhead: Double?

    /// - Parameter base: with the version, without a slash at its end. Plain HTTP only to this machine.
    public init(key: String, base: URL, pace: Pace = Pace()) {
        self.key = key
        self.base = base
        self.pace = pace
        exchange = HTTPExchange(timeout: pace.timeout)
    }

    public func close() { exchange.close() }

    // MARK: Reading

    /// One object.
    ///
    /// - Parameter path: for example `subscriptions/1`.
    /// - Throws: `APIError`, `CancellationError`.
    public func object(_ path: String) async throws -> APIObject {
        let (body, document) = try await call("GET", path)
        guard let object = APIObject.all(in: body, document).first else { throw unreadable("GET", path) }
        return object
    }

    /// Whether the key is one for test mode; nil: the API does not say.
    ///
    /// - Throws: `APIError`, `CancellationError`.
    public func isTestMode() async throws -> Bool? {
        try await call("GET", "users/me").document["meta"]?["test_mode"]?.bool
    }

    /// One page of a list.
    ///
    /// - Parameters:
    ///   - path: for example `subscriptions`.
    ///   - filters: by name, without `filter[]`.
    ///   - number: from 1.
    /// - Throws: `APIError`, `CancellationError`.
    public func page(_ path: String, filters: [String: String] = [:], number: Int) async throws -> APIPage {
        var query = filters.sorted { $0.key < $1.key }.map { ("filter[\($0.key)]", $0.value) }
        query += [("page[size]", String(Self.pageSize)), ("page[number]", String(number))]
        let (body, document) = try await call("GET", path, query: query)
        guard case .array(let values)? = document["data"] else { throw unreadable("GET", path) }
        let objects = APIObject.all(in: body, document)
        // An object that cannot even be named would be passed over in silence.
        guard objects.count == values.count else { throw unreadable("GET", path) }
        let page = document["meta"]?["page"]
        return APIPage(
            objects: objects, number: number, last: max(page?["lastPage"]?.int ?? number, number),
            total: page?["total"]?.int)
    }

    /// All objects of a list, each once.
    ///
    /// - Throws: `APIError`, `CancellationError`.
    public func all(_ path: String, filters: [String: String] = [:]) async throws -> [APIObject] {
        var (objects, seen, number): ([APIObject], Set<String>, Int) = ([], [], 1)
        while true {
            let page = try await page(path, filters: filters, number: number)
            objects += page.objects.filter { seen.insert($0.id).inserted }
            if page.number >= page.last || page.objects.isEmpty { return objects }
            number += 1
        }
    }

    // MARK: Changing

    /// Sends a document, once.
    ///
    /// - Parameter method: `POST` or `PATCH`.
    /// - Throws: `APIError`, `CancellationError`.
    public func send(_ method: String, _ path: String, _ document: JSONValue) async throws -> APIObject {
        let (body, answer) = try await call(method, path, body: document.wireBytes())
        guard let object = APIObject.all(in: body, answer).first else { throw unreadable(method, path) }
        return object
    }

    // MARK: Calls

    private func call(
        _ method: String, _ path: String, query: [(String, String)] = [], body: [UInt8]? = nil
    ) async throws -> (body: [UInt8], document: JSONValue) {
        let request = try request(method, path, query, body)
        var attempt = 0
        while true {
            try await waitForTurn()
            calls += 1
            let (error, asked): (APIError, Int?)
            do {
                let answer = try await exchange.send(request)
                take(answer)
                if (200..<300).contains(answer.status) {
                    guard let document = try? JSONValue(parsing: answer.body), case .object = document else {
                        throw unreadable(method, path)
                    }
                    return (answer.body, document)
                }
                error = failure(answer, method, path)
                asked = answer["retry-after"].flatMap(Int.init)
            } catch let unusable as APIError {
                throw unusable
            } catch let unreached {
                try Task.checkCancellation()
                (error, asked) = (unreachable(unreached, method, path), nil)
            }
            let passes = [.rateLimited, .unavailable, .unreachable].contains(error.kind)
            guard method == "GET", passes, attempt < pace.repetitions else { throw error }
            try await Task.sleep(for: pace.pause(before: attempt, asked: asked))
            attempt += 1
        }
    }

    /// Each caller takes a moment of its own, so that two at once keep the pace, too.
    private func waitForTurn() async throws {
        let turn = max(nextCall, .now)
        nextCall = turn + pace.interval(remaining: remaining)
        if turn > .now { try await Task.sleep(until: turn, clock: .continuous) }
    }

    private func request(
        _ method: String, _ path: String, _ query: [(String, String)], _ body: [UInt8]?
    ) throws -> URLRequest {
        guard var parts = URLComponents(url: base, resolvingAgainstBaseURL: false) else {
            throw APIError(.unreachable, "the address of Lemon Squeezy's API is no URL")
        }
        parts.path += "/" + path
        if !query.isEmpty { parts.queryItems = query.map { URLQueryItem(name: $0.0, value: $0.1) } }
        guard let url = parts.url else {
            throw APIError(.unreachable, "the address of Lemon Squeezy's API is no URL")
        }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.setValue("application/vnd.api+json", forHTTPHeaderField: "Accept")
        request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization")
        if let body {
            request.setValue("application/vnd.api+json", forHTTPHeaderField: "Content-Type")
            request.httpBody = Data(body)
        }
        return request
    }

    private func take(_ answer: HTTPExchange.Answer) {
        remaining = answer["x-ratelimit-remaining"].flatMap(Int.init)
        if let date = answer["date"].flatMap(Self.date) { clockAhead = date.timeIntervalSinceNow }
    }

    /// RFC 9110: `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static func date(_ text: String) -> Date? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return formatter.date(from: text)
    }

    // MARK: Errors

    private func failure(_ answer: HTTPExchange.Answer, _ method: String, _ path: String) -> APIError {
        let said = said(answer.body)
        let call = "\(method) \(path)"
        return switch answer.status {
        case 401:
            APIError(
                .unauthorized,
                "Lemon Squeezy does not accept LEMON_SQUEEZY_API_KEY (401): it is wrong, was revoked, or is older than a year"
            )
        case 404: APIError(.notFound, "Lemon Squeezy has nothing at \(call) for this key (404)")
        case 429:
            APIError(.rateLimited, "Lemon Squeezy's API allows no further calls for now (429): try again in a minute")
        case 500...: APIError(.unavailable, "Lemon Squeezy's API failed at \(call) (\(answer.status)): try again later")
        default: APIError(.refused, "Lemon Squeezy refused \(call) (\(answer.status))\(said.map { ": \($0)" } ?? "")")
        }
    }

    /// What a body says of an error, if it is one of the API's: on one line, not long, and never the key.
    private func said(_ body: [UInt8]) -> String? {
        guard let document = try? JSONValue(parsing: body) else { return nil }
        var text: String?
        if case .array(let errors)? = document["errors"] {
            text = errors.first?["detail"]?.text(atMost: 2000) ?? errors.first?["title"]?.text(atMost: 2000)
        }
        text = text ?? document["message"]?.text(atMost: 2000)
        let line = text?.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(200)
        return line.map { String($0).replacing(key, with: "…") }
    }

    private func unreadable(_ method: String, _ path: String) -> APIError {
        APIError(
            .unreadable,
            "\(method) \(path) was answered with something that is not Lemon Squeezy's API: see LEMON_SQUEEZY_API_URL")
    }

    private func untrusted(_ host: String) -> APIError {
        APIError(.untrusted, "the certificate of \(host) is not one that this machine trusts: nothing was sent")
    }

    private func unreachable(_ error: any Error, _ method: String, _ path: String) -> APIError {
        let host = base.host ?? "the API"
        let doubt = method == "GET" ? "" : "; whether \(method) \(path) was carried out is not known"
        guard let error = error as? URLError else {
            return APIError(.unreachable, "no answer came from \(host)\(doubt)")
        }
        // On Linux an untrusted certificate has no code of its own: only libcurl's text, which is not passed on, tells of it.
        let told = error.userInfo[NSLocalizedDescriptionKey] as? String ?? ""
        if error.code == .unknown, told.lowercased().contains("certificate") { return untrusted(host) }
        return switch error.code {
        case .serverCertificateUntrusted, .serverCertificateHasBadDate, .serverCertificateHasUnknownRoot,
            .serverCertificateNotYetValid, .secureConnectionFailed:
            untrusted(host)
        case .timedOut: APIError(.unreachable, "\(host) did not answer in time\(doubt)")
        case .cannotConnectToHost, .cannotFindHost, .dnsLookupFailed:
            APIError(.unreachable, "\(host) cannot be reached")
        case .dataLengthExceedsMaximum:
            APIError(.unreadable, "\(host) answered with more than can be an answer of the API")
        default: APIError(.unreachable, "no whole answer came from \(host)\(doubt)")
        }
    }
}

extension LemonSqueezyAPI: CustomReflectable {
    nonisolated public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
