import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization

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

/// An id of a request, in its answer's `X-Request-ID` and in its log lines. A client's own `X-Request-ID` is ignored.
///
/// It looks random, but is no secret: the numbers of a sequence that begins anywhere, scattered by SplitMix64's function,
/// which never makes two of them one. This needs no random numbers of the operating system for each request.
struct RequestID: Sendable, CustomStringConvertible {
    private static let last = Atomic<UInt64>(.random(in: .min ... .max))

    private let number: UInt64

    init() {
        var number = Self.last.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
        number = (number ^ number >> 30) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ number >> 27) &* 0x94D0_49BB_1331_11EB
        self.number = number ^ number >> 31
    }

    /// 16 hexadecimal digits.
    var description: String {
        String(unsafeUninitializedCapacity: 16) { digits in
            for place in 0..<16 {
                let digit = UInt8(number >> (60 - 4 * place) & 15)
                digits.initializeElement(
                    at: place, to: digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
            return 16
        }
    }
}

/// Hummingbird's context of a request, and the request's id.
struct IdentifiedContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let requestID = RequestID()
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// Of the client, or of the proxy before it; nil: the connection has ended.
    var remoteAddress: SocketAddress? { channel.remoteAddress }

    /// Logs with the request's id. It is made for a line that is written, since most requests write none.
    var log: Logger {
        var log = logger
        log[metadataKey: "request_id"] = "\(requestID)"
        return log
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
