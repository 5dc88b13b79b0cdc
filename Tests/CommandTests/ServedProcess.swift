import Foundation
import LemonSqueezy
import TestSupport
import Testing

/// The program while it serves, with the reading of what it says in the test's hands.
final class ServedProcess: Sendable {
    let port: Int
    private let process: Process
    private let ended: Task<Void, Never>
    private let errors: PipedLines
    /// What it said until it listened.
    let start: [String]

    private init(
        port: Int, process: Process, ended: Task<Void, Never>, errors: PipedLines, start: [String]
    ) {
        (self.port, self.process, self.ended, self.errors, self.start) = (port, process, ended, errors, start)
    }

    /// Starts it and waits until it listens. Afterwards nobody reads what it says.
    ///
    /// - Parameter prelude: what a shell does before it becomes the program.
    static func start(_ program: Program, after prelude: String = ":") async throws -> ServedProcess {
        let process = program.process(["serve"], after: prelude)
        let lines = PipedLines()
        process.standardError = lines.pipe
        process.standardOutput = FileHandle.nullDevice
        let ended = try process.start()
        let (seen, url) = await lines.untilListening()
        if let port = url?.split(separator: ":").last.flatMap({ Int($0) }) {
            return ServedProcess(port: port, process: process, ended: ended, errors: lines, start: seen)
        }
        await ended.value
        throw Instance.Failure(description: "it did not start: \(seen)")
    }

    var id: Int32 { process.processIdentifier }

    /// Reads again, and gives the lines that come.
    func lines() -> AsyncStream<String> {
        AsyncStream { [errors] in await errors.next() }
    }

    /// Nobody will read what it says.
    func closeReader() async throws { try await errors.close() }

    func deliver(_ body: [UInt8]) async throws -> HTTPReply {
        try await HTTPClient(port: port).send(
            "POST", "/webhooks/lemon-squeezy", headers: [("X-Signature", Signature.sign(body, secret: Program.secret))],
            body: body)
    }

    /// Asks it to stop, which it has to do well.
    func stop() async {
        process.terminate()
        await ended.value
        #expect(process.terminationStatus == 0)
    }

    /// Runs `body` while it serves, and stops it.
    static func serve<Result>(
        _ program: Program, after prelude: String = ":", _ body: (ServedProcess) async throws -> Result
    ) async throws -> Result {
        let served = try await start(program, after: prelude)
        do {
            let result = try await body(served)
            await served.stop()
            withExtendedLifetime(program) {}
            return result
        } catch {
            await served.stop()
            throw error
        }
    }
}

extension Program {
    /// The program as a shell starts it that does something before.
    func process(_ arguments: [String], after prelude: String) -> Process {
        let process = process(arguments)
        let path = process.executableURL?.path ?? ""
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", prelude + "; exec \"$0\" \"$@\"", path] + arguments
        return process
    }
}
