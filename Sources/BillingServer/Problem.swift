import Foundation
import Hummingbird

/// The answer to a request that cannot be served: problem details (RFC 9457).
struct Problem: Error, Sendable {
    var status: HTTPResponse.Status
    /// The stable end of `type`.
    var name: String
    var title: String
    var detail: String
    var headers = HTTPFields()
    /// Of a delivery that was stored and rejected.
    var receipt: (eventID: UUID, reason: String?)?

    static let notFound = Problem(
        status: .notFound, name: "not-found", title: "Not found", detail: "There is nothing at this address.")

    static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> Problem {
        let list = allowed.map(\.rawValue).joined(separator: ", ")
        return Problem(
            status: .methodNotAllowed, name: "method-not-allowed", title: "Method not allowed",
            detail: "This address answers to \(list).", headers: [.allow: list])
    }

    static let malformedRequest = Problem(
        status: .badRequest, name: "malformed-request", title: "Malformed request",
        detail: "The request is not HTTP as this server understands it.")

    /// The same for every cause, so that a forger learns nothing from it.
    static let invalidSignature = Problem(
        status: .unauthorized, name: "invalid-signature", title: "Invalid signature",
        detail: "The delivery does not carry one valid X-Signature of its body.")

    /// The same for every cause: there is no key, it is none of ours, it is revoked, or its account is inactive.
    static let invalidKey = Problem(
        status: .unauthorized, name: "invalid-key", title: "Invalid API key",
        detail: "The request does not carry a valid API key: Authorization: Bearer KEY.",
        headers: [.wwwAuthenticate: #"Bearer realm="Selextract Cloud""#, .cacheControl: "no-store"])

    /// An address has tried more keys that are none than it may.
    static let tooManyKeys = Problem(
        status: .tooManyRequests, name: "too-many-keys", title: "Too many invalid API keys",
        detail: "This address has sent too many keys that are not valid. Wait a minute.",
        headers: [.retryAfter: "60", .cacheControl: "no-store"])

    static func rejected(_ eventID: UUID, reason: String?) -> Problem {
        Problem(
            status: .badRequest, name: "rejected", title: "Not an event",
            detail: "The delivery is signed, and stored, but it is not an event: JSON with meta.event_name and data.",
            receipt: (eventID, reason))
    }

    static let bodyTooLarge = Problem(
        status: .contentTooLarge, name: "body-too-large", title: "Body too large",
        detail: "The body is larger than this server reads.")

    static let bodyTooSlow = Problem(
        status: .requestTimeout, name: "body-too-slow", title: "Body too slow",
        detail: "The body did not come to its end in time.")

    /// Nothing was stored, and sending it again is right.
    static let unavailable = Problem(
        status: .serviceUnavailable, name: "unavailable", title: "Unavailable",
        detail: "The request could not be completed now. Send it again later.", headers: [.retryAfter: "5"])

    static let internalError = Problem(
        status: .internalServerError, name: "internal-error", title: "Internal error",
        detail: "The request failed in a way this server did not expect.")

    /// The server is alive, but not ready to serve.
    static func notReady(_ reason: String) -> Problem {
        Problem(
            status: .serviceUnavailable, name: "not-ready", title: "Not ready", detail: reason,
            headers: [.retryAfter: "5"])
    }
}

extension Problem {
    func response(requestID: RequestID) -> Response {
        var fields = headers
        fields[.contentType] = "application/problem+json"
        return Response(
            status: status, headers: fields, body: ResponseBody(byteBuffer: document(requestID: requestID)))
    }

    func document(requestID: RequestID) -> ByteBuffer {
        let document = Document(
            type: "urn:selextract-billing:problem:\(name)", title: title, status: status.code, detail: detail,
            requestID: requestID.description, eventID: receipt?.eventID.text, reason: receipt?.reason)
        return ByteBuffer(bytes: Response.bytes(document))
    }

    private struct Document: Encodable {
        var type: String
        var title: String
        var status: Int
        var detail: String
        var requestID: String
        var eventID: String?
        var reason: String?
    }
}
