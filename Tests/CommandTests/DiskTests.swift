import Foundation
import Payloads
import TestSupport
import Testing

/// A disk that takes no more, stood for by a limit on the size of the process's files: it needs no rights.
@Suite("A full disk", .timeLimit(.minutes(15))) struct DiskTests {
    private static func body(_ number: Int) -> [UInt8] {
        ProviderSubscription.strangersPurchase(980_000 + number, delivery: number)
    }

    @Test("SQLite: 503, /readyz tells, and what was answered 200 is there")
    func sqlite() async throws {
        let adminPort = try FreePort.any()
        let program = try Program(["ADMIN_PORT": "\(adminPort)"])
        #expect(try await program.run("migrate").status == 0)
        // Two megabytes: the write-ahead log is full before it is written back.
        let accepted = try await ServedProcess.serve(program, after: "trap '' XFSZ; ulimit -f 4096") { served in
            let admin = HTTPClient(port: adminPort)
            #expect(try await admin.send("GET", "/readyz").status == 200)
            var accepted = 0
            while try await served.deliver(Self.body(accepted)).status == 200, accepted < 500 { accepted += 1 }
            #expect((1..<500).contains(accepted))
            let refused = try await served.deliver(Self.body(accepted))
            #expect(refused.status == 503)
            #expect(refused["retry-after"] != nil)
            try await eventually { try await admin.send("GET", "/readyz").status == 503 }
            #expect(try await admin.send("GET", "/readyz").member("detail")?.contains("SQLite") == true)
            // It goes on reading.
            #expect(try await HTTPClient(port: served.port).send("GET", "/v1/plans").status == 200)
            return accepted
        }
        try await ServedProcess.serve(program) { served in
            #expect(try await HTTPClient(port: adminPort).send("GET", "/readyz").status == 200)
            // Stored once: the one that was refused is no duplicate, the one before it is.
            let again = try await served.deliver(Self.body(accepted))
            #expect(!again.text.contains("duplicate"))
            let known = try await served.deliver(Self.body(accepted - 1))
            #expect(known.text.contains("duplicate"))
        }
        let events = try await program.json("events", "list", "--limit", "1000")["events"].rows
        #expect(events.count == accepted + 1)
        #expect(try await program.run("rebuild", "--check").status == 0)
    }
}
