import Hummingbird
import Logging

/// Tells one request from all others, in its answer and in what is logged of it. Ours alone: what a client sends under
/// that name is not repeated.
struct RequestID: Sendable, CustomStringConvertible {
    let description: String

    init() {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        description = String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// What is known of a request beside what it says.
struct IdentifiedContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let requestID = RequestID()

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        logger[metadataKey: "request_id"] = "\(requestID)"
        logger[metadataKey: "hb.request.id"] = nil
    }
}
