import Payloads
import Testing

@testable import LemonSqueezy

@Suite("Canonical JSON and the digest of R7")
struct CanonicalJSONTests {
    private func canonical(_ text: String, without key: String? = nil) throws -> String {
        String(decoding: try JSONValue(parsing: Array(text.utf8)).canonicalBytes(without: key), as: UTF8.self)
    }

    @Test("Keys are sorted by bytes at every level, escapes are the least, and the last of equal keys stays")
    func canonical() throws {
        let text = #"{ "b": {"z":1,"a":[true,null]}, "a":"\u00e9\/\n", "B":2, "b2":1, "b":{"y":2} }"#
        #expect(try canonical(text) == "{\"B\":2,\"a\":\"é/\\u000a\",\"b\":{\"y\":2},\"b2\":1}")
        #expect(try canonical(#"{"urls":{"a":1},"x":{"urls":2}}"#, without: "urls") == #"{"x":{"urls":2}}"#)
        #expect(try canonical("[]") == "[]")
    }

    @Test("Characters composed differently are different keys, sorted the same from either side")
    func composition() throws {
        let one = try canonical(#"{"\u00e9":1,"e\u0301":2}"#)
        #expect(try canonical(#"{"e\u0301":2,"\u00e9":1}"#) == one)
        #expect(try canonical(#"{"e\u0301":1,"\u00e9":2}"#) != one)
    }

    @Test(
        "One number has one spelling",
        arguments: [
            ("0", ["-0", "0.0", "0e5", "-0.000", "0E-7"]), ("1", ["1.0", "10e-1", "0.1E+1", "1e0", "1E00"]),
            ("-1900", ["-1900.00", "-1.9e3"]), ("199e-1", ["19.9", "19.90", "0.199e2"]),
            ("100", ["1e2", "100.0"]), ("1e30", ["1000000000000000000000000000000", "0.1e31"]),
        ])
    func numbers(spelling: String, others: [String]) {
        for other in others { #expect(DecimalText.canonical(other) == spelling) }
        #expect(DecimalText.canonical(spelling) == spelling)
    }

    @Test("Different numbers stay different, digit by digit")
    func differentNumbers() {
        let numbers = [
            "12345678901234567890123456789012345678901", "12345678901234567890123456789012345678902", "1e999", "1e998",
            "0.1", "0.10000000000000000001", "1e99999999999999999999", "-1", "1", "10",
        ]
        #expect(Set(numbers.map(DecimalText.canonical)).count == numbers.count)
    }

    private func order(_ attributes: String) throws -> SnapshotOrder {
        let body =
            #"{"meta":{"event_name":"subscription_updated"},"data":{"type":"subscriptions","id":"1","attributes":"#
            + attributes + "}}"
        guard case .subscription(let snapshot) = try WebhookEvent(body: Array(body.utf8)).object else {
            throw JSONSyntaxError(offset: 0)
        }
        return snapshot.order
    }

    private let plain =
        #"{"variant_id":101,"status":"active","user_name":"Zo\u00eb \/","created_at":"2026-10-12T09:30:04.000000Z","updated_at":"2026-10-12T09:30:05.000000Z","urls":{"customer_portal":"https:\/\/x\/billing?expires=1791819006&user=1"}}"#

    @Test("The digest does not depend on key order, escaping, white space or urls")
    func invariant() throws {
        let other =
            #"{ "urls":{"customer_portal":"https://y/?expires=1791819006","more":[]}, "updated_at":"2026-10-12T09:30:05.000000Z", "created_at":"2026-10-12T09:30:04.000000Z","user_name":"\u005ao\#u{EB} /","status":"active","variant_id":101.0 }"#
        #expect(try order(plain) == order(other))
        let withoutURLs = try order(plain.replacing(#/,"urls":.*$/#, with: "}"))
        #expect(withoutURLs.digest == (try order(plain)).digest)
        #expect(withoutURLs.snapshotSecond == 0)
    }

    @Test("The digest differs when an attribute does")
    func different() throws {
        let digest = try order(plain).digest
        #expect(digest.count == 32)
        for (old, new) in [
            ("101", "102"), ("active", "Active"), ("Zo", "zo"), (":04.", ":03."), (",\"urls\"", ",\"x\":null,\"urls\""),
        ] {
            #expect(try order(plain.replacing(old, with: new)).digest != digest)
        }
    }

    @Test("The digest of every fixture survives any re-encoding", arguments: [1, 2] as [UInt64])
    func fixtures(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        for (name, body) in try Fixtures.all() {
            let event = try WebhookEvent(body: body)
            let respelled = RandomJSON.spell(shuffled(try JSONValue(parsing: body), using: &random), using: &random)
            #expect(try WebhookEvent(body: respelled) == event, "\(name)")
        }
    }

    private func shuffled(_ value: JSONValue, using random: inout SplitMix) -> JSONValue {
        switch value {
        case .array(let elements): .array(elements.map { shuffled($0, using: &random) })
        case .object(let members):
            .object(members.shuffled(using: &random).map { .init($0.key, shuffled($0.value, using: &random)) })
        default: value
        }
    }
}
