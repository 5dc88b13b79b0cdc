import Billing
import Foundation
import HTTPTypes
import Hummingbird
import LemonSqueezy
import Logging
import Storage

/// `POST /webhooks/lemon-squeezy`: verifies a delivery's signature, decodes its event, and answers when both are committed.
struct WebhookController: Controller {
    static let methods: KeyValuePairs<String, [HTTPRequest.Method]> = ["/webhooks/lemon-squeezy": [.post]]

    /// The status of an answer to bytes that are stored already; else it is the event's outcome.
    static let duplicate = "duplicate"

    /// Asked for each delivery: they may be changed while the service runs.
    let secrets: @Sendable () -> SigningSecrets
    let queue: CommitQueue
    let bodies: BodyBudget
    let metrics: Metrics
    let signatures: SignatureWatch
    /// Told of each authentic delivery that could not be made durable.
    let onRefused: @Sendable () -> Void
    let failureLog = Throttle(every: .seconds(1))

    func addRoutes(to router: Router<IdentifiedContext>) {
        router.post("/webhooks/lemon-squeezy") { try await receive($0, context: $1) }
    }

    private func receive(_ request: Request, context: IdentifiedContext) async throws -> Response {
        try await bodies.withBody(of: request) { body in
            let headers = request.headers[values: .signature]
            guard let match = Signature.verify(headers, body: body, secrets: secrets()) else {
                refuse(context.log)
                throw Problem.invalidSignature
            }
            signatures.accept()
            let delivery = Delivery(body: body, signature: headers[0], matchedSecret: match)
            return try await answer(to: InboxEvent(delivery), context)
        }
    }

    private func refuse(_ logger: Logger) {
        metrics.signatureFailures.increment()
        if failureLog.allows() { logger.warning("delivery without a valid signature") }
        if let refused = signatures.refuse() {
            logger.warning("\(SignatureWatch.warning)", metadata: ["refused": "\(refused)"])
        }
    }

    private func answer(to event: InboxEvent, _ context: IdentifiedContext) async throws -> Response {
        let receipt: EventDecision
        do {
            receipt = try await queue.submit(event)
        } catch {
            metrics.undurable.increment()
            onRefused()
            throw Problem.unavailable
        }
        let status = receipt.isDuplicate ? Self.duplicate : receipt.outcome.rawValue
        metrics.deliveries.increment(status)
        context.log.info(
            "delivery stored",
            metadata: [
                "event_id": "\(receipt.eventID.text)", "event": "\(event.name?.rawValue ?? "none")",
                "status": "\(status)", "outcome": "\(receipt.outcome.rawValue)", "reason": "\(receipt.reason ?? "")",
            ])
        // A duplicate of a rejected delivery is rejected like the first.
        guard receipt.outcome != .rejected else {
            throw Problem.rejected(receipt.eventID, reason: receipt.reason)
        }
        return Self.answer(status, receipt)
    }

    /// Three texts, which need no encoder; with as many deliveries as there may be, making one is a fair part of each.
    private static func answer(_ status: String, _ receipt: EventDecision) -> Response {
        var members = [JSONValue.Member("event_id", .string(receipt.eventID.text))]
        if let reason = receipt.reason { members.append(JSONValue.Member("reason", .string(reason))) }
        members.append(JSONValue.Member("status", .string(status)))
        let bytes = JSONValue.object(members).wireBytes()
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension UUID {
    var text: String { uuidString.lowercased() }
}
