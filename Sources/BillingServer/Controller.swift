import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// A group of routes.
protocol Controller: Sendable {
    /// The methods of each address. As the router has it, `{name}` stands for any one component.
    static var methods: KeyValuePairs<String, [HTTPRequest.Method]> { get }

    func addRoutes(to router: Router<IdentifiedContext>)
}

extension Router where Context == IdentifiedContext {
    /// A router of these controllers alone.
    convenience init(_ controllers: [any Controller], metrics: Metrics) {
        self.init(context: IdentifiedContext.self, options: .autoGenerateHeadEndpoints)
        add(
            middleware: ErrorResponses(
                allowedMethods: AllowedMethods(controllers.flatMap { Array(type(of: $0).methods) }),
                metrics: metrics))
        for controller in controllers { controller.addRoutes(to: self) }
    }
}

/// A random id of a request, in its answer's `X-Request-ID` and in its log lines. A client's own `X-Request-ID` is ignored.
struct RequestID: Sendable, CustomStringConvertible {
    let description: String

    init() {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        description = String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Hummingbird's context of a request, and the request's id.
struct IdentifiedContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let requestID = RequestID()

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        logger[metadataKey: "request_id"] = "\(requestID)"
        logger[metadataKey: "hb.request.id"] = nil
    }
}

extension HTTPField.Name {
    static let requestID = name("X-Request-ID")
    static let signature = name("X-Signature")

    private static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("“\(text)” is no name of a header") }
        return name
    }
}

extension Response {
    /// A JSON document whose bytes depend on the value alone.
    init(json document: some Encodable, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: Self.bytes(document))))
    }

    /// The document as JSON: keys in snake case (`eventID` is written `event_id`) and in alphabetical order.
    static func bytes(_ document: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(document) else {
            preconditionFailure("strings, whole numbers and nothing else can always be encoded")
        }
        return Array(data)
    }
}
