import Foundation
import LemonSqueezy
import Payloads
import TestSupport
import Testing

/// A delivery with something wrong with it, the answer to it, and what is stored.
struct BadInput: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let headers: @Sendable ([UInt8]) -> [HTTPClient.Header]
    let body: [UInt8]
    let status: Int
    /// What is stored of it; nil: nothing is.
    let outcome: String?
    let reason: String?

    init(
        _ name: String, _ body: [UInt8], _ status: Int, stored outcome: String? = nil, reason: String? = nil,
        headers: @escaping @Sendable ([UInt8]) -> [HTTPClient.Header] = { [RunningServer.signature($0)] }
    ) {
        testDescription = name
        self.headers = headers
        self.body = body
        self.status = status
        self.outcome = outcome
        self.reason = reason
    }

    static func signatures() throws -> [BadInput] {
        let body = try Fixtures.event("subscription_created")
        func changed(_ change: @escaping @Sendable (String) -> [String]) -> @Sendable ([UInt8]) -> [HTTPClient.Header] {
            { change(RunningServer.signature($0).value).map { ("x-signature", $0) } }
        }
        let reencoded = Array(String(decoding: body, as: UTF8.self).replacing("\\/", with: "/").utf8)
        return [
            BadInput("no signature", body, 401, headers: changed { _ in [] }),
            BadInput("empty signature", body, 401, headers: changed { _ in [""] }),
            BadInput("another's signature", body, 401, headers: changed { _ in [String(repeating: "a", count: 64)] }),
            BadInput("upper-case signature", body, 401, headers: changed { [$0.uppercased()] }),
            BadInput("truncated signature", body, 401, headers: changed { [String($0.prefix(32))] }),
            BadInput("63 digits", body, 401, headers: changed { [String($0.dropLast())] }),
            BadInput("65 digits", body, 401, headers: changed { [$0 + "0"] }),
            BadInput("no hexadecimal digits", body, 401, headers: changed { ["g" + $0.dropFirst()] }),
            BadInput("prefixed signature", body, 401, headers: changed { ["sha256=" + $0] }),
            BadInput("the right signature twice", body, 401, headers: changed { [$0, $0] }),
            BadInput("right, then wrong", body, 401, headers: changed { [$0, "00"] }),
            BadInput("two in one header", body, 401, headers: changed { [$0 + ", " + $0] }),
            BadInput(
                "signed with another secret", body, 401,
                headers: { [RunningServer.signature($0, secret: "another-secret")] }),
            BadInput(
                "right signature of re-encoded JSON", reencoded, 401, headers: { _ in [RunningServer.signature(body)] }
            ),
            BadInput("empty body without signature", [], 401, headers: changed { _ in [] }),
            BadInput(
                "one byte too many, unsigned", Array(repeating: 32, count: (1 << 20) + 1), 413,
                headers: changed { _ in [] }),
            BadInput("one byte too many, signed", Array(repeating: 32, count: (1 << 20) + 1), 413),
        ]
    }

    static func rejected() throws -> [BadInput] {
        let body = String(decoding: try Fixtures.event("subscription_created"), as: UTF8.self)
        func rejected(_ name: String, _ body: [UInt8], _ reason: String) -> BadInput {
            BadInput(name, body, 400, stored: "rejected", reason: reason)
        }
        func rejected(_ name: String, _ body: String, _ reason: String) -> BadInput {
            rejected(name, Array(body.utf8), reason)
        }
        return [
            rejected("empty body", "", "not_json"),
            rejected("no JSON", "hello", "not_json"),
            rejected("JSON and more", body + "x", "not_json"),
            rejected("half a body", String(body.prefix(body.count / 2)), "not_json"),
            rejected("an array", "[]", "no_event_name"),
            rejected("a string", "\"meta\"", "no_event_name"),
            rejected("null", "null", "no_event_name"),
            rejected("no meta", #"{"data":{"type":"orders","id":"1"}}"#, "no_event_name"),
            rejected("meta as array", #"{"meta":[],"data":{"type":"orders"}}"#, "no_event_name"),
            rejected("event name as number", #"{"meta":{"event_name":7},"data":{"type":"orders"}}"#, "no_event_name"),
            rejected("no data", #"{"meta":{"event_name":"order_created"}}"#, "no_data"),
            rejected("data as array", #"{"meta":{"event_name":"order_created"},"data":[]}"#, "no_data"),
            rejected("deep nesting", String(repeating: "[", count: 200_000), "not_json"),
            rejected(
                "deep nesting, closed",
                String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000), "not_json"),
            rejected("a NUL byte", Array(body.replacing("active", with: "act\u{0}ive").utf8), "not_json"),
            rejected(
                "invalid UTF-8", Array("{\"meta\":{\"event_name\":\"".utf8) + [0xC3, 0x28] + Array("\"}}".utf8),
                "not_json"),
            rejected("a lone surrogate's bytes", Array("\"".utf8) + [0xED, 0xA0, 0x80] + Array("\"".utf8), "not_json"),
            rejected("a byte order mark", [0xEF, 0xBB, 0xBF] + Array("hello".utf8), "not_json"),
            rejected(
                "1 MiB of blanks", Array(repeating: 32, count: 1 << 20), "not_json"),
        ]
    }

    /// Signed JSON with an event's shape: it is stored and answered 200, whatever it holds. `user` is an account that
    /// exists, which some of these are about.
    static func harmless(user: UUID) throws -> [BadInput] {
        let event = String(decoding: try Fixtures.event("subscription_created"), as: UTF8.self)
        // Another customer, whom no earlier event has led to the account.
        let stranger = event.replacing(#/"customer_id":\d+/#, with: #""customer_id":599999"#)
            .replacing(#/"subscriptions","id":"\d+"/#, with: #""subscriptions","id":"999999""#)
        let body = event.replacing(
            #/"user_id":"[^"]*"/#, with: #""user_id":"\#(user.uuidString.lowercased())""#)
        func stored(
            _ name: String, _ outcome: String, _ reason: String?, _ change: (String) -> String
        ) -> BadInput {
            BadInput(name, Array(change(body).utf8), 200, stored: outcome, reason: reason)
        }
        func replacing(_ text: String, _ other: String) -> (String) -> String {
            { body in
                precondition(body.contains(text), "the payload does not hold \(text)")
                return body.replacing(text, with: other)
            }
        }
        return [
            stored("unknown event of an unknown object", "ignored", nil) { _ in
                #"{"meta":{"event_name":"moon_risen"},"data":{"type":"moons","id":"1"}}"#
            },
            stored(
                "missing attributes", "parked", "undecodable: data.attributes is missing",
                replacing(#""attributes":"#, #""properties":"#)),
            stored(
                "no variant", "parked", "unknown_plan",
                replacing(#""variant_id":101"#, #""variant":101"#)),
            stored(
                "numbers too large", "parked", "unknown_plan",
                replacing(#""variant_id":101"#, #""variant_id":1e999"#)),
            stored(
                "an id of forty digits", "parked", "unknown_plan",
                replacing(#""variant_id":101"#, #""variant_id":"# + String(repeating: "9", count: 40))),
            stored("an escaped NUL", "parked", nil, replacing(#""status":"active""#, #""status":"act\u0000ive""#)),
            stored("an escaped NUL where nobody reads it", "parked", "unknown_account") { _ in
                replacing(#""status_formatted":""#, #""status_formatted":"\u0000"#)(stranger)
            },
            stored("custom data as array", "parked", "unknown_account") { _ in
                stranger.replacing(#/"custom_data":\{[^}]*\}/#, with: #""custom_data":[]"#)
            },
        ]
    }
}
