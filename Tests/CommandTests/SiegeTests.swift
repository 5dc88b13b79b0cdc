import Foundation
import Payloads
import TestSupport
import Testing

@Suite("The listener under siege", .timeLimit(.minutes(15)))
struct SiegeTests {
    private static let bodies = (0..<9).map { number in
        ProviderSubscription.strangersPurchase(950_000 + number, delivery: number)
    }

    @Test("While 1,100 connections hold what they can, deliveries do not wait for one of them to be given up")
    func idleConnections() async throws {
        try await ServedProcess.serve(try Program()) { served in
            // Heads that do not come to an end.
            let siege = try await Siege(
                port: served.port, connections: 1100, sending: #"GET / HTTP/1.1\r\nhost: x\r\nx-"#)
            var durations: [Duration] = []
            for body in Self.bodies {
                let start = ContinuousClock.now
                #expect(try await served.deliver(body).status == 200)
                durations.append(.now - start)
            }
            // Those of the siege are given up after 30 s; a machine that is busy itself takes a second or two.
            #expect(durations.sorted()[durations.count / 2] < .seconds(10), "\(durations)")
            await siege.end()
        }
    }

    @Test("When there are no descriptors left, that is told, and the listener goes on")
    func noDescriptors() async throws {
        let program = try Program(["LOG_LEVEL": "error"])
        try await ServedProcess.serve(program, after: "ulimit -n 64") { served in
            let siege = try await Siege(
                port: served.port, connections: 100, sending: #"GET / HTTP/1.1\r\nhost: x\r\nx-"#)
            var told: String?
            for await line in served.lines() where line.contains("connections cannot be accepted") {
                told = line
                break
            }
            #expect(try #require(told).contains(" error "))
            // Those that do nothing have made room.
            #expect(try await served.deliver(Self.bodies[0]).status == 200)
            await siege.end()
            #expect(try await served.deliver(Self.bodies[1]).status == 200)
        }
    }

    @Test("The limit of open files is raised as far as the system allows, and that is told")
    func openFileLimit() async throws {
        let program = try Program(["LOG_LEVEL": "info"])
        try await ServedProcess.serve(program, after: "ulimit -Sn 256; ulimit -Hn 512") { served in
            let limits = try String(contentsOfFile: "/proc/\(served.id)/limits", encoding: .utf8)
            let line = limits.split(separator: "\n").first { $0.hasPrefix("Max open files") }
            #expect(line?.split(separator: " ").dropFirst(3).prefix(2) == ["512", "512"])
            let told = served.start.filter { $0.contains("the limit of open files was raised") }
            #expect(told.count == 1)
            #expect(told.first?.contains("before=256 now=512") == true)
        }
    }

    @Test("Others get their turn to write while the service writes without a break")
    func otherWriters() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url])
            try await ServedProcess.serve(program) { served in
                try await withThrowingTaskGroup { group in
                    for lane in 0..<8 {
                        group.addTask {
                            var number = 0
                            while !Task.isCancelled {
                                let body = ProviderSubscription.strangersPurchase(
                                    960_000 + lane * 10_000 + number, delivery: number)
                                let reply = try await served.deliver(body)
                                #expect(reply.status == 200)
                                number += 1
                            }
                        }
                    }
                    for number in 0..<4 {
                        // A command, and a program that knows nothing of this one and waits as SQLite does: five
                        // seconds each.
                        let created = try await program.run("users", "create", "command-\(number)@example.com")
                        #expect(created.status == 0, "\(created.errors)")
                        try await database.execute("insert into users (email) values ('other-\(number)@example.com')")
                    }
                    group.cancelAll()
                }
            }
            #expect(try await database.values("select cast(count(*) as text) from users") == ["8"])
        }
    }

    @Test("After a clean stop the file alone is whole")
    func cleanStop() async throws {
        let program = try Program()
        try await ServedProcess.serve(program) { served in
            for body in Self.bodies { #expect(try await served.deliver(body).status == 200) }
            // Readers, too, have had it open.
            _ = try await HTTPClient(port: served.port).send("GET", "/v1/plans")
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: program.folder.path)
        #expect(files == ["billing.sqlite3"])
        let copy = try Program()
        try FileManager.default.copyItem(
            at: program.folder.appendingPathComponent("billing.sqlite3"),
            to: copy.folder.appendingPathComponent("billing.sqlite3"))
        #expect(try await copy.json("events", "list")["events"].rows.count == Self.bodies.count)
    }
}

/// Connections that are held open and send no whole request, by a process of their own: the one of the tests must not
/// have so many descriptors open (see `Process.launchAlone`).
private final class Siege: Sendable {
    private let process: Process
    private let ended: Task<Void, Never>

    /// - Throws: if the connections cannot be made.
    init(port: Int, connections: Int, sending text: String) async throws {
        let output = Pipe()
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        // A shell's usual limit is less than what is needed here. A connection that is closed meanwhile ends nothing.
        process.arguments = [
            "-c",
            #"""
            ulimit -Sn "$(ulimit -Hn)"; trap '' PIPE
            for _ in $(seq "$2"); do exec {socket}<>"/dev/tcp/127.0.0.1/$1" || exit; printf "$3" >&$socket; done 2>/dev/null
            echo held; exec sleep 600
            """#,
            "-", String(port), String(connections), text,
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        ended = try process.start()
        try output.fileHandleForWriting.close()
        let held = try output.fileHandleForReading.read(upToCount: 4)
        try #require(held == Data("held".utf8))
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    func end() async {
        // What a thread of Dispatch starts has SIGTERM blocked.
        kill(process.processIdentifier, SIGKILL)
        await ended.value
    }
}
