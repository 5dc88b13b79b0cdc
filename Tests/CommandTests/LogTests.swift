import Foundation
import LemonSqueezy
import Payloads
import TestSupport
import Testing

@testable import selextract_billing

@Suite("The log never stops the service", .timeLimit(.minutes(15)))
struct LogTests {
    /// So many that a pipe and the buffer of the log are full of their statements.
    private static let bodies = (0..<150).map { number in
        ProviderSubscription.strangersPurchase(940_000 + number, delivery: number)
    }
    private static let talkative = ["SELEXTRACT_DEBUG": "true", "LOG_LEVEL": "trace"]

    @Test(
        "When nobody reads the log, deliveries are taken all the same, and what was lost is told when it is read again")
    func fullPipe() async throws {
        try await ServedProcess.serve(try Program(Self.talkative)) { served in
            for body in Self.bodies { #expect(try await served.deliver(body).status == 200) }
            var told: String?
            for await line in served.lines() {
                Program.expectNothingPrivate(in: line)
                guard line.contains("log lines were dropped") else { continue }
                told = line
                break
            }
            let dropped = try #require(told?.firstMatch(of: #/dropped=(\d+)/#)?.output.1)
            #expect(Int(dropped) ?? 0 > 0)
        }
    }

    @Test("When nobody reads the log, the service stops all the same")
    func stopWithFullPipe() async throws {
        let program = try Program(Self.talkative)
        let stopping = try await ServedProcess.serve(program) { served in
            for body in Self.bodies {
                let reply = try await served.deliver(body)
                #expect(reply.status == 200)
            }
            return ContinuousClock.now
        }
        #expect(ContinuousClock.now - stopping < .seconds(28))
    }

    @Test("When the log's reader has gone, deliveries are taken all the same")
    func brokenPipe() async throws {
        try await ServedProcess.serve(try Program(Self.talkative)) { served in
            try await served.closeReader()
            for body in Self.bodies.prefix(10) { #expect(try await served.deliver(body).status == 200) }
        }
    }

    @Test("An error can be told to nobody, and the program ends all the same")
    func errorIntoFullPipe() async throws {
        let pipe = Pipe()
        let end = pipe.fileHandleForWriting.fileDescriptor
        let flags = fcntl(end, F_GETFL)
        _ = fcntl(end, F_SETFL, flags | O_NONBLOCK)
        let filler = [UInt8](repeating: 32, count: 4096)
        while write(end, filler, filler.count) > 0 {}
        while write(end, filler, 1) > 0 {}
        _ = fcntl(end, F_SETFL, flags)
        let program = try Program(["LEMON_SQUEEZY_WEBHOOK_SECRET": nil])
        let process = program.process(["serve"])
        process.standardError = pipe
        process.standardOutput = FileHandle.nullDevice
        let ended = try process.start()
        await ended.value
        #expect(process.terminationStatus == 1)
        // Its folder is there until here.
        withExtendedLifetime(program) {}
    }

    @Test("Descriptors that are closed at the start are no place for sockets")
    func closedDescriptors() async throws {
        let program = try Program(["LOG_LEVEL": "trace"])
        // It can tell nobody where it listens, so the system is asked.
        let process = program.process(["serve"], after: "exec 0<&- 1>&- 2>&-")
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let ended = try process.start()
        do {
            func deliver(_ body: [UInt8], to port: Int) async throws -> HTTPReply {
                try await HTTPClient(port: port).send(
                    "POST", "/webhooks/lemon-squeezy",
                    headers: [("X-Signature", Signature.sign(body, secret: Program.secret))], body: body)
            }
            // It listens for a moment to see whether the port is free, and then before the database is ready.
            var port = try await Self.listeningPort(of: process)
            while (try? await deliver(Self.bodies[0], to: port))?.status != 200 {
                try await Task.sleep(for: .milliseconds(10))
                port = try await Self.listeningPort(of: process)
            }
            for descriptor in 0...2 {
                let link = "/proc/\(process.processIdentifier)/fd/\(descriptor)"
                #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "/dev/null")
            }
            for body in Self.bodies.prefix(5) {
                let reply = try await deliver(body, to: port)
                #expect(reply.status == 200)
            }
        } catch {
            process.terminate()
            await ended.value
            throw error
        }
        process.terminate()
        await ended.value
        #expect(process.terminationStatus == 0)
        withExtendedLifetime(program) {}
    }

    /// Waits until a process listens, and finds the port in the system's tables.
    private static func listeningPort(of process: Process) async throws -> Int {
        let folder = "/proc/\(process.processIdentifier)/fd"
        while process.isRunning {
            let links = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0)
            }
            let table = String(decoding: try Data(contentsOf: URL(fileURLWithPath: "/proc/net/tcp")), as: UTF8.self)
            for line in table.split(separator: "\n") {
                let words = line.split(separator: " ")
                // 0A is the state of a socket that listens.
                guard words.count > 9, words[3] == "0A", links.contains("socket:[\(words[9])]"),
                    let port = words[1].split(separator: ":").last.flatMap({ Int($0, radix: 16) })
                else { continue }
                return port
            }
            try Task.checkCancellation()
            await Task.yield()
        }
        throw Instance.Failure(description: "it ended before it listened")
    }

    @Test("A name that controls a terminal or turns the writing is escaped in tables and in JSON")
    func hostileName() throws {
        let name = "\u{1b}[2JAda\u{202e}gnp.exe\u{9b}1m"
        let escaped = #"\u{1B}[2JAda\u{202E}gnp.exe\u{009B}1m"#
        let columns = [Column<String>("name") { Cell($0) }, Column<String>("names") { .list([$0]) }]
        var document = Document()
        document.record("one", columns, name)
        document.list("many", columns, [name])
        let text = document.text
        #expect(text.components(separatedBy: escaped).count == 5)
        let json = String(decoding: try document.json, as: UTF8.self)
        for shown in [text, json] {
            #expect(!shown.unicodeScalars.contains { ["\u{1b}", "\u{9b}", "\u{202e}"].contains($0) })
        }
        let read = JSON(try JSONSerialization.jsonObject(with: Data(json.utf8)))
        #expect(read["one"]["name"].text == name)
        #expect(read["many"][0]["name"].text == name)
    }
}
