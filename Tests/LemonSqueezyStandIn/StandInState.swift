public import LemonSqueezy

/// What the stand-in has and does. A test may change it while it runs.
public struct StandInState: Sendable {
    /// Key to whether it is one for test mode.
    public var keys: [String: Bool] = [:]
    /// By type, newest first; but webhooks oldest first.
    public var objects: [String: [JSONValue]] = [:]
    /// Given instead of the next answers, in order.
    public var answers: [StandInAnswer] = []
    /// Given once after so many further calls, instead of the answer.
    public var answersAfter: (calls: Int, answer: StandInAnswer)?
    /// Lists that show nothing, though their objects are there.
    public var emptyLists: Set<String> = []
    /// Put in front of a list, one after each of its pages: what comes in while it is read.
    public var arrivals: [String: [JSONValue]] = [:]
    /// Whether POST and PATCH are refused.
    public var refusesChanges = false
    /// Whether POST and PATCH are answered with an error of its own.
    public var failsChanges = false
    /// Of the minute; counts down with each call if it is set.
    public var remaining: Int?
    /// Once so many calls were answered, further ones get no answer until this is nil, or greater.
    public var holdsFrom: Int?
    /// Whether a call waits for its answer now.
    public internal(set) var isHolding = false
    /// Everything that was asked, in order; without what has no answer yet.
    public internal(set) var calls: [StandInCall] = []
    /// The secret of each webhook, which no answer tells.
    public internal(set) var secrets: [String: String] = [:]
    var lastID = 1000

    public init() {}

    /// Adds or replaces an object; a new one comes first.
    public mutating func put(_ type: String, id: String, _ attributes: [JSONValue.Member]) {
        let object = Self.object(type, id: id, attributes)
        if let place = objects[type]?.firstIndex(where: { $0["id"] == .string(id) }) {
            objects[type]?[place] = object
        } else {
            objects[type, default: []].insert(object, at: 0)
        }
    }

    /// Changes one attribute.
    public mutating func set(_ type: String, id: String, _ name: String, _ value: JSONValue) {
        guard let place = objects[type]?.firstIndex(where: { $0["id"] == .string(id) }),
            case .object(var attributes)? = objects[type]?[place]["attributes"]
        else { return }
        attributes.removeAll { $0.key == name }
        objects[type]?[place] = Self.object(type, id: id, attributes + [.init(name, value)])
    }

    public static func object(_ type: String, id: String, _ attributes: [JSONValue.Member]) -> JSONValue {
        .object([
            .init("type", .string(type)), .init("id", .string(id)), .init("attributes", .object(attributes)),
            .init("relationships", .object([.init("store", .object([.init("links", .object([]))]))])),
            .init("links", .object([.init("self", .string("https://api.lemonsqueezy.com/v1/\(type)/\(id)"))])),
        ])
    }
}

public struct StandInCall: Sendable, Hashable {
    public var method: String
    /// Without the version.
    public var path: String
    public var query: [String: String]
    public var body: [UInt8]
}

/// An answer of a test's own.
public struct StandInAnswer: Sendable {
    public var status: Int
    public var body: String
    public var headers: [String: String]

    public init(status: Int, body: String = "", headers: [String: String] = [:]) {
        self.status = status
        self.body = body
        self.headers = headers
    }

    public static let overloaded = StandInAnswer(
        status: 429, body: #"{"message":"Too Many Attempts."}"#, headers: ["Retry-After": "0"])
    public static let broken = StandInAnswer(
        status: 500, body: "<html><body>Server Error</body></html>", headers: ["Content-Type": "text/html"])
}
