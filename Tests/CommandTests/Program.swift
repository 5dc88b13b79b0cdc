import Foundation
import TestSupport
import Testing

/// The built program in a temporary folder of its own, with an environment of its own.
final class Program: Sendable {
    static let secret = "secret-of-the-tests"

    let folder: URL
    private let name: String
    private let environment: [String: String]

    /// - Parameters:
    ///   - settings: added to those that every test needs; nil takes one away.
    ///   - name: of the executable.
    /// - Throws: what creating its folder throws.
    init(_ settings: [String: String?] = [:], name: String = "selextract-billing") throws {
        self.name = name
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var environment: [String: String?] = [
            "DATABASE_URL": "sqlite:billing.sqlite3", "LEMON_SQUEEZY_WEBHOOK_SECRET": Self.secret, "PORT": "0",
            "ADMIN_PORT": "", "LOG_LEVEL": "error", "TZ": "America/St_Johns",
        ]
        environment.merge(settings) { _, new in new }
        self.environment = environment.compactMapValues { $0 }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// What a command that has ended leaves.
    struct Finished: Sendable {
        var status: Int32
        var output: [UInt8]
        var errors: String

        var text: String { String(decoding: output, as: UTF8.self) }

        /// The one sentence of an error.
        var sentence: String {
            #expect(errors.split(separator: "\n").count == 1, "one line, not: \(errors)")
            return errors.replacing("selextract-billing: ", with: "").trimmingCharacters(in: .newlines)
        }
    }

    /// Runs a command to its end.
    func run(_ arguments: String...) async throws -> Finished { try await run(arguments) }

    /// - Parameter wrapper: a command that runs it, and is given its path and arguments.
    func run(_ arguments: [String], through wrapper: [String] = []) async throws -> Finished {
        // Files, not pipes: nobody has to read while it runs, however much it writes.
        let name = UUID().uuidString
        let (output, errors) = (
            folder.appendingPathComponent(name + ".out"), folder.appendingPathComponent(name + ".err")
        )
        for file in [output, errors] { try Data().write(to: file) }
        let process = process(arguments)
        if !wrapper.isEmpty {
            process.arguments = wrapper + [process.executableURL?.path ?? ""] + arguments
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        }
        let handles = try [output, errors].map { try FileHandle(forWritingTo: $0) }
        // By hand: a process that has ended is not released at once, nor what it wrote to.
        defer { for handle in handles { try? handle.close() } }
        (process.standardOutput, process.standardError) = (handles[0], handles[1])
        try await process.runToEnd()
        let finished = Finished(
            status: process.terminationStatus, output: Array(try Data(contentsOf: output)),
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
        Self.expectNothingPrivate(in: finished.errors)
        return finished
    }

    /// Runs a command that has to succeed, and reads its JSON.
    func json(_ arguments: String...) async throws -> JSON {
        let name = UUID().uuidString + ".json"
        let file = folder.appendingPathComponent(name)
        try Data().write(to: file)
        let process = process(arguments + ["--format", "json"])
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        process.standardOutput = handle
        try await process.runToEnd()
        try #require(process.terminationStatus == 0, "\(arguments)")
        return JSON(try JSONSerialization.jsonObject(with: Data(contentsOf: file)))
    }

    /// Serves for as long as `body` runs; then the program is asked to stop, and has to end well.
    func serve<Result>(_ arguments: String..., body: (_ url: String) async throws -> Result) async throws -> Result {
        let process = process(["serve"] + arguments)
        let lines = PipedLines()
        process.standardError = lines.pipe
        process.standardOutput = FileHandle.nullDevice
        let ended = try process.start()
        do {
            let (seen, url) = await lines.untilListening { Self.expectNothingPrivate(in: $0) }
            lines.drain { Self.expectNothingPrivate(in: $0) }
            let result = try await body(try #require(url, "it did not start: \(seen)"))
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

    /// What is logged, and what errors say, holds no secret, no key, no password and no body, whatever happened.
    static func expectNothingPrivate(in text: String) {
        #expect(!text.contains(secret))
        #expect(!text.contains("custom_data"))
        #expect(!text.contains(#/slx_[0-9A-Za-z]{20,}/#))
        #expect(!text.contains(#/:\/\/[^\/@ ]+:[^\/@ ]+@/#))
    }

    func process(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = Self.products.appendingPathComponent(name)
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// Beside the bundle of the tests that are running.
    private static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()
}

extension Process {
    /// - Returns: a task that is done when the process has ended.
    func start() throws -> Task<Void, Never> {
        let (ended, continuation) = AsyncStream.makeStream(of: Never.self)
        terminationHandler = { _ in continuation.finish() }
        try launchAlone()
        return Task { for await _ in ended {} }
    }

    func runToEnd() async throws {
        let ended = try start()
        await ended.value
    }
}

/// JSON that a test looks into.
struct JSON: @unchecked Sendable {
    // Proof: what JSONSerialization makes is never changed.
    private let value: Any?

    init(_ value: Any?) { self.value = value }

    subscript(key: String) -> JSON { JSON((value as? [String: Any])?[key]) }
    subscript(index: Int) -> JSON {
        let rows = value as? [Any]
        return JSON(rows?.indices.contains(index) == true ? rows?[index] : nil)
    }

    var text: String? { value as? String }
    var number: Int? { value as? Int }
    var flag: Bool? { value as? Bool }
    var isNull: Bool { value is NSNull }
    var rows: [JSON] { (value as? [Any])?.map(JSON.init) ?? [] }
    var keys: Set<String> { Set((value as? [String: Any])?.keys.map { $0 } ?? []) }
}

/// The working copy that these tests are part of.
enum Repository {
    /// From this file's own place.
    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
}
