public import Foundation
import HTTPTypes
import Hummingbird
import LemonSqueezy
import Logging
import NIOCore
import Synchronization

/// A server that answers as Lemon Squeezy's API does, from memory, on a free port of this machine.
public final class StandIn: Sendable {
    public let port: Int
    private let memory: Memory
    private let task: Task<Void, Never>

    private init(port: Int, memory: Memory, task: Task<Void, Never>) {
        (self.port, self.memory, self.task) = (port, memory, task)
    }

    deinit { task.cancel() }

    public static func start(_ state: StandInState = StandInState()) async throws -> StandIn {
        let memory = Memory(state)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let router = Router()
        for method in [HTTPRequest.Method.get, .post, .patch, .delete, .put] {
            router.on("v1/**", method: method) { request, _ in
                let body = try await request.body.collect(upTo: 1 << 20)
                await memory.hold()
                return memory.response(to: request, body: Array(buffer: body))
            }
        }
        var logger = Logger(label: "stand-in")
        logger.logLevel = .critical
        let application = Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) }, logger: logger)
        let task = Task {
            try? await application.run()
            listening.finish()
        }
        for await port in ports { return StandIn(port: port, memory: memory, task: task) }
        throw CancellationError()
    }

    public var url: String { "http://127.0.0.1:\(port)/v1" }
    public var base: URL { URL(string: url) ?? URL(fileURLWithPath: "/") }

    public var state: StandInState { memory.state.withLock { $0 } }

    public func change(_ body: (inout StandInState) -> Void) { memory.state.withLock { body(&$0) } }
}

private final class Memory: Sendable {
    let state: Mutex<StandInState>

    init(_ state: StandInState) { self.state = Mutex(state) }

    /// A page as slow as the test wants it.
    func hold() async {
        while state.withLock({ $0.calls.count >= $0.holdsFrom ?? .max }) {
            state.withLock { $0.isHolding = true }
            guard (try? await Task.sleep(for: .milliseconds(5))) != nil else { return }
        }
        state.withLock { $0.isHolding = false }
    }

    func response(to request: Request, body: [UInt8]) -> Response {
        let path = String(request.uri.path.dropFirst("/v1/".count))
        let query = Dictionary(
            request.uri.queryParameters.map { parameter in
                let (name, value) = (String(parameter.key), String(parameter.value))
                return (name.removingPercentEncoding ?? name, value.removingPercentEncoding ?? value)
            }, uniquingKeysWith: { $1 })
        let key = request.headers[.authorization]?.split(separator: " ").last.map(String.init) ?? ""
        let call = StandInCall(method: request.method.rawValue, path: path, query: query, body: body)
        return state.withLock { state in
            state.calls.append(call)
            var headers: HTTPFields = [.contentType: "application/vnd.api+json"]
            if let remaining = state.remaining {
                state.remaining = max(0, remaining - 1)
                if let name = HTTPField.Name("X-Ratelimit-Remaining") { headers[name] = String(remaining) }
            }
            if let (calls, answer) = state.answersAfter {
                state.answersAfter = calls > 0 ? (calls - 1, answer) : nil
                if calls == 0 { state.answers.append(answer) }
            }
            if !state.answers.isEmpty {
                let answer = state.answers.removeFirst()
                for (name, value) in answer.headers { HTTPField.Name(name).map { headers[$0] = value } }
                return Response(
                    status: .init(code: answer.status), headers: headers,
                    body: ResponseBody(byteBuffer: ByteBuffer(string: answer.body)))
            }
            let (status, document): (Int, JSONValue) =
                if let isTest = state.keys[key] {
                    state.answer(call, isTest: isTest)
                } else {
                    (401, Self.error(401, "Unauthorized", "Unauthenticated."))
                }
            return Response(
                status: .init(code: status), headers: headers,
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: document.wireBytes())))
        }
    }

    static func error(_ status: Int, _ title: String, _ detail: String) -> JSONValue {
        .object([
            .init("jsonapi", .object([.init("version", .string("1.0"))])),
            .init(
                "errors",
                .array([
                    .object([
                        .init("detail", .string(detail)), .init("status", .string(String(status))),
                        .init("title", .string(title)),
                    ])
                ])),
        ])
    }
}

extension StandInState {
    /// Objects whose `test_mode` is not the key's mode are not there for it.
    fileprivate mutating func answer(_ call: StandInCall, isTest: Bool) -> (Int, JSONValue) {
        if call.method != "GET", failsChanges { return (500, Memory.error(500, "Server Error", "Server Error")) }
        if call.method != "GET", refusesChanges {
            return (422, Memory.error(422, "Unprocessable Entity", "The data is not valid."))
        }
        let parts = call.path.split(separator: "/").map(String.init)
        if call.path == "users/me" {
            return (
                200,
                .object([
                    .init("meta", .object([.init("test_mode", .bool(isTest))])),
                    .init("data", Self.object("users", id: "1", [.init("name", .string("Shop"))])),
                ])
            )
        }
        let type = parts.first ?? ""
        let visible = (objects[type] ?? []).filter {
            $0["attributes"]?["test_mode"].map { $0 == .bool(isTest) } ?? true
        }
        switch (call.method, parts.count) {
        case ("GET", 1): return (200, page(type, emptyLists.contains(type) ? [] : visible, call.query))
        case ("GET", 2):
            guard let object = visible.first(where: { $0["id"] == .string(parts[1]) }) else { break }
            return (200, .object([.init("data", object)]))
        case ("POST", 1) where type == "webhooks": return create(call, isTest: isTest)
        case ("PATCH", 2) where type == "webhooks": return update(parts[1], call)
        default: return (405, Memory.error(405, "Method Not Allowed", "The method is not supported."))
        }
        return (404, Memory.error(404, "Not Found", "The resource was not found."))
    }

    private mutating func page(_ type: String, _ objects: [JSONValue], _ query: [String: String]) -> JSONValue {
        let filters = query.compactMap { name, value -> (String, String)? in
            guard name.hasPrefix("filter["), name.hasSuffix("]") else { return nil }
            return (String(name.dropFirst("filter[".count).dropLast()), value)
        }
        let found = objects.filter { object in
            filters.allSatisfy { name, value in
                switch object["attributes"]?[name] {
                case .string(let text)?: text == value
                case .number(let text)?: text == value
                case .bool(let flag)?: value == (flag ? "1" : "0") || value == String(flag)
                default: false
                }
            }
        }
        let size = query["page[size]"].flatMap(Int.init) ?? 10
        let number = query["page[number]"].flatMap(Int.init) ?? 1
        let last = max(1, (found.count + size - 1) / size)
        let shown = Array(found.dropFirst((number - 1) * size).prefix(size))
        if var coming = arrivals[type], !coming.isEmpty {
            self.objects[type, default: []].insert(coming.removeFirst(), at: 0)
            arrivals[type] = coming
        }
        func int(_ number: Int) -> JSONValue { .number(String(number)) }
        return .object([
            .init(
                "meta",
                .object([
                    .init(
                        "page",
                        .object([
                            .init("currentPage", int(number)), .init("lastPage", int(last)),
                            .init("perPage", int(size)),
                            .init("total", int(found.count)),
                        ]))
                ])),
            .init("jsonapi", .object([.init("version", .string("1.0"))])),
            .init("links", .object([.init("first", .string("…page%5Bnumber%5D=1"))])),
            .init("data", .array(shown)),
        ])
    }

    private func attributes(_ call: StandInCall) -> JSONValue? {
        (try? JSONValue(parsing: call.body))?["data"]?["attributes"]
    }

    private mutating func create(_ call: StandInCall, isTest: Bool) -> (Int, JSONValue) {
        let document = try? JSONValue(parsing: call.body)
        guard let attributes = document?["data"]?["attributes"], case .string(let secret)? = attributes["secret"],
            (6...40).contains(secret.count), let url = attributes["url"], let events = attributes["events"],
            case .string(let store)? = document?["data"]?["relationships"]?["store"]?["data"]?["id"],
            objects["stores"]?.contains(where: { $0["id"] == .string(store) }) == true
        else { return (422, Memory.error(422, "Unprocessable Entity", "The data is not valid.")) }
        lastID += 1
        let id = String(lastID)
        secrets[id] = secret
        let object = Self.object(
            "webhooks", id: id,
            [
                .init("store_id", .number(store)), .init("url", url), .init("events", events),
                .init("last_sent_at", .null), .init("test_mode", .bool(isTest)),
            ])
        objects["webhooks", default: []].append(object)
        return (201, .object([.init("data", object)]))
    }

    private mutating func update(_ id: String, _ call: StandInCall) -> (Int, JSONValue) {
        guard let attributes = attributes(call),
            objects["webhooks"]?.contains(where: { $0["id"] == .string(id) }) == true
        else { return (404, Memory.error(404, "Not Found", "The resource was not found.")) }
        if case .string(let secret)? = attributes["secret"] { secrets[id] = secret }
        for name in ["url", "events"] { if let value = attributes[name] { set("webhooks", id: id, name, value) } }
        let object = objects["webhooks"]?.first { $0["id"] == .string(id) } ?? .null
        return (200, .object([.init("data", object)]))
    }
}
