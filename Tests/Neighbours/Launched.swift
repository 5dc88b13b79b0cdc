import Foundation
import TestSupport
import Testing

/// The working copy that these tests are part of.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let python = root.appendingPathComponent("Tests/Neighbours/python")

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }
}

/// A program that runs beside these tests: this project's own, or one in Python.
struct Launched: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let secret = "secret-of-the-tests"

    private let executable: URL
    private let environment: [String: String]

    /// The built program, on a database.
    static func service(_ database: TestDatabase) -> Launched {
        let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        return Launched(
            executable: products.appendingPathComponent("selextract-billing"),
            environment: [
                "DATABASE_URL": database.url, "LEMON_SQUEEZY_WEBHOOK_SECRET": secret, "PORT": "0", "ADMIN_PORT": "",
                "LOG_LEVEL": "error",
            ])
    }

    /// Python, with what `requirements.txt` names, on a database.
    static func python(_ database: TestDatabase) throws -> Launched {
        let executable = Repository.root.appendingPathComponent(".build/neighbours/bin/python")
        guard FileManager.default.isExecutableFile(atPath: executable.path) else {
            throw Failure(description: "there is no Python environment in .build/neighbours: run make test")
        }
        return Launched(
            executable: executable,
            environment: ["DATABASE_URL": database.url, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"])
    }

    struct Finished: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Runs it to its end, in the folder of the Python programs.
    func run(_ arguments: [String], input: String = "") async throws -> Finished {
        // Files, not pipes: nobody has to read while it runs, however much it writes.
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["in", "out", "err"].map { folder.appendingPathComponent($0) }
        for file in files { try Data((file == files[0] ? input : "").utf8).write(to: file) }
        let process = process(arguments)
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        let ended = try Self.start(process)
        await ended.value
        return Finished(
            status: process.terminationStatus, output: try String(contentsOf: files[1], encoding: .utf8),
            errors: try String(contentsOf: files[2], encoding: .utf8))
    }

    /// Runs it to its end, which has to be a good one.
    func output(_ arguments: [String], input: String = "") async throws -> Data {
        let finished = try await run(arguments, input: input)
        guard finished.status == 0 else {
            throw Failure(description: "\(arguments): \(finished.output) \(finished.errors)")
        }
        return Data(finished.output.utf8)
    }

    /// Serves for as long as `body` runs; then the program is asked to stop, and has to end well.
    func serve<Result>(_ body: (_ port: Int) async throws -> Result) async throws -> Result {
        let process = process(["serve"])
        let lines = PipedLines()
        process.standardError = lines.pipe
        process.standardOutput = FileHandle.nullDevice
        let ended = try Self.start(process)
        do {
            let (seen, url) = await lines.untilListening()
            let port = url?.split(separator: ":").last.flatMap { Int($0) }
            lines.drain()
            let result = try await body(try #require(port, "it did not start: \(seen)"))
            process.terminate()
            await ended.value
            #expect(process.terminationStatus == 0)
            return result
        } catch {
            process.terminate()
            await ended.value
            throw error
        }
    }

    private func process(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = Repository.python
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// - Returns: a task that is done when the process has ended.
    private static func start(_ process: Process) throws -> Task<Void, Never> {
        let (ended, continuation) = AsyncStream.makeStream(of: Never.self)
        process.terminationHandler = { _ in continuation.finish() }
        try process.launchAlone()
        return Task { for await _ in ended {} }
    }
}
