import Foundation
import TestSupport
import Testing

/// A listener that runs as a process of its own, until it is stopped or killed.
struct Instance: Sendable {
    let port: Int
    private let process: Process
    private let ended: Task<Void, Never>

    /// Starts the program, and waits until it listens.
    static func start(_ program: Program) async throws -> Instance {
        let process = program.process(["serve"])
        let lines = PipedLines()
        process.standardError = lines.pipe
        process.standardOutput = FileHandle.nullDevice
        let ended = try process.start()
        let (seen, url) = await lines.untilListening { Program.expectNothingPrivate(in: $0) }
        if let port = url?.split(separator: ":").last.flatMap({ Int($0) }) {
            lines.drain { Program.expectNothingPrivate(in: $0) }
            return Instance(port: port, process: process, ended: ended)
        }
        await ended.value
        throw Failure(description: "it did not start: \(seen)")
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// As a power failure does: nothing is finished.
    func kill() async {
        _ = Foundation.kill(process.processIdentifier, SIGKILL)
        await ended.value
    }

    /// Asks it to stop, which it has to do well.
    func stop() async {
        process.terminate()
        await ended.value
        #expect(process.terminationStatus == 0)
    }
}

/// A place where one instance after the other runs. Who asks for it while it is being started waits.
actor Seat {
    private let program: Program
    private var instance: Task<Instance, any Error>

    init(_ program: Program) {
        self.program = program
        instance = Task { try await Instance.start(program) }
    }

    var port: Int {
        get async throws { try await instance.value.port }
    }

    /// Kills the instance, and starts the next.
    func replace() async throws {
        let killed = instance
        instance = Task { [program] in
            try await killed.value.kill()
            return try await Instance.start(program)
        }
        _ = try await instance.value
    }

    func stop() async throws { try await instance.value.stop() }
}
