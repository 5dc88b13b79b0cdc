import Foundation
import LemonSqueezy
import Payloads
import Testing

@Suite("Rebase")
struct RebaseTests {
    private func moved(_ text: String, by seconds: Double) throws -> String {
        String(decoding: Rebase(shift: seconds)(try JSONValue(parsing: Array(text.utf8))).wireBytes(), as: UTF8.self)
    }

    @Test("Timestamps and the ends of URLs move, everything else stays")
    func moves() throws {
        let text =
            #"{"meta":{"a":1},"data":{"at":"2026-10-31T23:59:59.000000Z","u":"https:\/\/x\/?a=1&expires=100&b=expires=5","n":100,"s":"expires=100","d":"2026-10-31","z":[null,"2026-10-31T23:59:59.5+00:00"]}}"#
        let expected =
            #"{"meta":{"a":1},"data":{"at":"2026-11-01T00:00:09.000000Z","u":"https:\/\/x\/?a=1&expires=110&b=expires=5","n":100,"s":"expires=100","d":"2026-10-31","z":[null,"2026-11-01T00:00:09.5+00:00"]}}"#
        #expect(try moved(text, by: 10) == expected)
        #expect(try moved(text, by: 0) == text)
        #expect(try moved(text, by: 0.4) == text)
        #expect(try moved(text, by: .infinity) == text)
    }

    @Test("A time that would leave the calendar stays")
    func edges() throws {
        #expect(
            try moved(#"["1970-01-01T00:00:00Z","?expires=5"]"#, by: -10) == #"["1970-01-01T00:00:00Z","?expires=5"]"#)
        #expect(try moved(#""9999-12-31T23:59:59Z""#, by: 1) == #""9999-12-31T23:59:59Z""#)
    }

    @Test("Every fixture moves forth and back to the same bytes, and its snapshot moves with it")
    func fixtures() throws {
        let shift = 12_345_678.0
        for (name, body) in try Fixtures.all() {
            let payload = try JSONValue(parsing: body)
            let later = Rebase(shift: shift)(payload)
            #expect(Rebase(shift: -shift)(later).wireBytes() == body, "\(name)")
            guard case .subscription(let before) = try WebhookEvent(payload).object,
                case .subscription(let after) = try WebhookEvent(later).object
            else { continue }
            #expect(after.updatedAt == before.updatedAt.addingTimeInterval(shift))
            #expect(after.createdAt == before.createdAt.addingTimeInterval(shift))
            #expect(after.renewsAt == before.renewsAt?.addingTimeInterval(shift))
            #expect(after.order.snapshotSecond == before.order.snapshotSecond + Int(shift))
        }
    }

    @Test("A scenario is moved so that its last event is now")
    func latest() throws {
        let payloads = try Fixtures.scenario("renewal").map { try JSONValue(parsing: $0.body) }
        let now = Date(timeIntervalSince1970: 1_900_000_000)
        let rebase = Rebase(latestOf: payloads, to: now)
        #expect(payloads.compactMap { Rebase.moment(of: rebase($0)) }.max() == now)
        #expect(Rebase(latestOf: [], to: now).seconds == 0)
    }

    @Test("The wire has meta first, escaped slashes and nothing but ASCII")
    func wire() throws {
        let value = JSONValue.object([
            .init("data", .string("é/🍋\"\\\u{1}\n\u{7F}")),
            .init("meta", .array([.null, .bool(false), .number("1.50")])),
        ])
        #expect(
            String(decoding: value.wireBytes(), as: UTF8.self)
                == #"{"meta":[null,false,1.50],"data":"\u00e9\/\ud83c\udf4b\"\\\u0001\n"# + "\u{7F}\"}")
    }
}
