import Payloads
import TestSupport
import Testing

@testable import BillingServer

@Suite("Deliveries that are all refused are noticed", .timeLimit(.minutes(15)))
struct SignatureWatchTests {
    private let start = ContinuousClock.now

    @Test("The third refusal warns, and later ones once a minute")
    func onceAMinute() {
        let watch = SignatureWatch()
        #expect(watch.refuse(at: start) == nil)
        #expect(watch.refuse(at: start + .seconds(100)) == nil)
        #expect(!watch.isMismatch)
        #expect(watch.refuse(at: start + .seconds(200)) == 3)
        #expect(watch.isMismatch)
        #expect(watch.refuse(at: start + .seconds(200)) == nil)
        #expect(watch.refuse(at: start + .seconds(259)) == nil)
        #expect(watch.refuse(at: start + .seconds(260)) == 6)
        #expect(watch.refuse(at: start + .seconds(300)) == nil)
        #expect(watch.refuse(at: start + .seconds(1000)) == 8)
    }

    @Test("One valid signature ends it for good")
    func ends() {
        let watch = SignatureWatch()
        for _ in 0..<5 { _ = watch.refuse(at: start) }
        #expect(watch.isMismatch)
        watch.accept()
        #expect(!watch.isMismatch)
        for minutes in 1...5 { #expect(watch.refuse(at: start + .seconds(60 * minutes)) == nil) }
        #expect(!watch.isMismatch)
    }

    @Test("Where one was valid before, refusals are no mismatch")
    func validBefore() {
        let watch = SignatureWatch()
        watch.accept()
        for _ in 0..<5 { #expect(watch.refuse(at: start) == nil) }
        #expect(!watch.isMismatch)
    }

    @Test("The log, readiness and metrics tell of it, until a delivery is accepted")
    func told() async throws {
        let body = try Fixtures.event("subscription_created")
        let lines = LogLines()
        func warnings() -> [String] { lines.all.filter { $0.contains("no delivery has had a valid signature") } }
        try await DatabaseKind.sqlite.withDatabase { database in
            try await withServer(try database.open(), logger: lines.logger) { server in
                func refused() async throws {
                    let headers = [RunningServer.signature(body, secret: "of the live mode")]
                    let reply = try await server.client.send(
                        "POST", "/webhooks/lemon-squeezy", headers: headers, body: body)
                    #expect(reply.status == 401)
                }
                func isTold() async throws -> Bool {
                    let ready = try await server.admin.send("GET", "/readyz")
                    #expect(ready.status == 200)
                    let metrics = try await server.admin.send("GET", "/metrics").text
                    let isTold = ready.text.contains(#/"warnings":\["no delivery has had [^"\]]+"\]/#)
                    #expect(isTold != ready.text.contains(#""warnings":[]"#))
                    #expect(metrics.contains("\nselextract_signature_mismatch \(isTold ? 1 : 0)\n"))
                    return isTold
                }
                for _ in 0..<2 { try await refused() }
                #expect(try await !isTold())
                #expect(warnings().isEmpty)
                for _ in 0..<3 { try await refused() }
                #expect(try await isTold())
                // A second one could only come a minute later.
                #expect(warnings().first?.contains(#""refused":"3""#) == true)
                #expect(warnings().first?.contains("LEMON_SQUEEZY_WEBHOOK_SECRET") == true)
                #expect(try await server.deliver(body).status == 200)
                #expect(try await !isTold())
                try await refused()
                #expect(try await !isTold())
            }
        }
    }
}
