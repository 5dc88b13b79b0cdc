import BillingServer
import Foundation
import Payloads
import Storage
import TestSupport
import Testing

@Suite("SQLite's file is moved or deleted while the service runs", .timeLimit(.minutes(15)))
struct MovedFileTests {
    /// Runs `body` with a server that has stored one delivery in this file.
    private func withFile(_ body: (RunningServer, TestDatabase, _ path: String) async throws -> Void) async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let path = String(database.url.dropFirst("sqlite:".count))
            try await withServer(try database.open()) { server in
                let first = try Fixtures.event("order_created")
                #expect(try await server.deliver(first).status == 200)
                try await body(server, database, path)
            }
        }
    }

    private func expectRefusal(_ server: RunningServer, _ body: [UInt8]) async throws {
        let refused = try await server.deliver(body)
        #expect(refused.status == 503)
        #expect(refused["retry-after"] == "5")
        // It is asked once a second.
        try await eventually { try await server.admin.send("GET", "/readyz").status == 503 }
        let notReady = try await server.admin.send("GET", "/readyz")
        #expect(notReady.status == 503)
        #expect(notReady.member("detail")?.contains("has been moved away or deleted: put it back") == true)
    }

    @Test("Nothing is acknowledged while the file is away, and back at its place it is used again")
    func movedAndBack() async throws {
        let body = try Fixtures.event("subscription_created")
        try await withFile { server, database, path in
            try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            for _ in 0..<3 { try await expectRefusal(server, body) }
            // None was made anew, either.
            #expect(!FileManager.default.fileExists(atPath: path))
            try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
            #expect(try await server.deliver(body).status == 200)
            try await eventually { try await server.admin.send("GET", "/readyz").status == 200 }
            #expect(try await server.events().map(\.deliveries) == [1, 1])
            #expect(try await database.values("pragma integrity_check") == ["ok"])
        }
    }

    @Test("After the file is deleted, a copy that is put in its place is opened")
    func deletedAndCopied() async throws {
        let body = try Fixtures.event("subscription_created")
        try await withFile { server, database, path in
            try await database.execute("vacuum into '\(path).copy'")
            try FileManager.default.removeItem(atPath: path)
            try await expectRefusal(server, body)
            try FileManager.default.moveItem(atPath: path + ".copy", toPath: path)
            // It was changed a moment ago, so it might still be growing.
            let later = Date(timeIntervalSinceNow: 3600)
            try FileManager.default.setAttributes([.modificationDate: later], ofItemAtPath: path)
            #expect(try await server.deliver(body).status == 503)
            let earlier = Date(timeIntervalSinceNow: -60)
            try FileManager.default.setAttributes([.modificationDate: earlier], ofItemAtPath: path)
            #expect(try await server.deliver(body).status == 200)
            try await eventually { try await server.admin.send("GET", "/readyz").status == 200 }
            #expect(try await server.events().count == 2)
            // What another program reads at the path is what was acknowledged.
            #expect(try await database.values("select cast(count(*) as text) from webhook_events") == ["2"])
            #expect(try await database.values("pragma integrity_check") == ["ok"])
        }
    }

    @Test("What was committed is in the file that was moved away, so that a copy of it has everything")
    func movedAndCopied() async throws {
        let body = try Fixtures.event("subscription_created")
        try await withFile { server, database, path in
            try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            try await expectRefusal(server, body)
            try FileManager.default.copyItem(atPath: path + ".away", toPath: path)
            let earlier = Date(timeIntervalSinceNow: -60)
            try FileManager.default.setAttributes([.modificationDate: earlier], ofItemAtPath: path)
            #expect(try await server.deliver(body).status == 200)
            #expect(try await server.events().count == 2)
            #expect(try await database.values("pragma integrity_check") == ["ok"])
        }
    }

    @Test("An empty file at the path is not taken for a database")
    func emptyFile() async throws {
        let body = try Fixtures.event("subscription_created")
        try await withFile { server, _, path in
            try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            try Data().write(to: URL(fileURLWithPath: path))
            let earlier = Date(timeIntervalSinceNow: -60)
            try FileManager.default.setAttributes([.modificationDate: earlier], ofItemAtPath: path)
            #expect(try await server.deliver(body).status == 503)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
            #expect(try await server.deliver(body).status == 200)
        }
    }
}
