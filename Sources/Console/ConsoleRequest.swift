import Foundation

/// What the console reads of an HTTP request, whoever serves it.
public struct ConsoleRequest: Sendable {
    /// GET or POST; HEAD is asked as GET.
    public var method: String
    /// The components behind `/console`, decoded.
    public var path: [String]
    /// Of the query.
    public var query: FormValues
    /// Of the body, if it is a form.
    public var form: FormValues
    /// Header fields, names in lower case; several of one name one behind the other.
    public var headers: [String: [String]]
    /// The TCP peer's address, without its port.
    public var peer: String

    /// - Parameters:
    ///   - path: with its `/console`, as it was sent.
    ///   - query: as it was sent.
    public init(
        method: String, path: String, query: String, headers: [String: [String]], body: [UInt8], peer: String
    ) {
        self.method = method
        self.path = path.split(separator: "/").dropFirst().map { $0.removingPercentEncoding ?? String($0) }
        self.query = FormValues(query)
        form = FormValues(String(decoding: body, as: UTF8.self))
        self.headers = headers
        self.peer = peer
    }

    /// A field that may stand once; nil if it is missing, or there are several: which of them counts would be a guess.
    func header(_ name: String) -> String? {
        headers[name].flatMap { $0.count == 1 ? $0[0] : nil }
    }
}

/// `application/x-www-form-urlencoded`.
public struct FormValues: Sendable {
    private var values: [String: [String]] = [:]

    public init(_ text: String) {
        for pair in text.split(separator: "&").prefix(1000) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = parts.map { $0.replacing("+", with: " ").removingPercentEncoding ?? "" }
            values[decoded[0], default: []].append(decoded.count > 1 ? decoded[1] : "")
        }
    }

    /// Trimmed; nil if it is missing or empty.
    subscript(_ name: String) -> String? {
        let value = values[name]?.first?.trimmingCharacters(in: .whitespacesAndNewlines)
        return value?.isEmpty == false ? value : nil
    }

    func all(_ name: String) -> [String] { values[name] ?? [] }
}

/// What is answered.
public struct ConsoleAnswer: Sendable {
    public var status = 200
    public var headers: [(name: String, value: String)] = []
    public var body: [UInt8]

    /// What each answer has, and a browser does not do with it.
    static let security: [(name: String, value: String)] = [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
                + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("x-robots-tag", "noindex"),
        ("x-frame-options", "DENY"), ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ]

    /// Whether its own pages are told where a request comes from; no other site ever is.
    var tellsOwnReferrer = false {
        didSet {
            headers.removeAll { $0.name == "referrer-policy" }
            headers.append(("referrer-policy", tellsOwnReferrer ? "same-origin" : "no-referrer"))
        }
    }

    init(status: Int = 200, type: String, caching: String = "no-store", _ body: [UInt8]) {
        self.status = status
        headers = [("content-type", type), ("cache-control", caching)] + Self.security
        self.body = body
    }

    init(status: Int = 200, _ page: HTML) {
        self.init(status: status, type: "text/html; charset=utf-8", Array(page.text.utf8))
    }

    /// 303, so that a page that is loaded again does nothing again.
    static func redirect(to link: Link) -> ConsoleAnswer {
        var answer = ConsoleAnswer(status: 303, "")
        answer.headers.append(("location", link.text))
        return answer
    }
}
