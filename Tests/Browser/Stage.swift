import Foundation
import LemonSqueezy
import Payloads
import TestSupport
import Testing

/// The program while it serves, with a console, and a browser at it.
struct Stage: Sendable {
    static let secret = "secret-of-the-tests"
    static let operatorToken = "operator-token-of-the-tests"
    static let viewerToken = "viewer-token-of-the-tests"

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    let port: Int
    /// Where the console was said to be at the start.
    let address: String
    let database: TestDatabase

    /// Of the console, with a slash at its end.
    var url: String { String(address.prefix { $0 != "?" }).replacing("/console/login", with: "/console/") }

    /// - Parameters:
    ///   - settings: further ones; nil takes one away.
    static func serve(
        _ kind: DatabaseKind, _ settings: [String: String?] = [:], _ body: (Stage) async throws -> Void
    ) async throws {
        try await kind.withDatabase { database in
            let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            let process = Process()
            process.executableURL = products.appendingPathComponent("selextract-billing")
            process.arguments = ["serve"]
            let environment: [String: String?] = [
                "DATABASE_URL": database.url, "LEMON_SQUEEZY_WEBHOOK_SECRET": secret, "PORT": "0", "ADMIN_PORT": "0",
                "LOG_LEVEL": "error", "SELEXTRACT_CONSOLE_TOKEN": operatorToken,
                "SELEXTRACT_CONSOLE_VIEWER_TOKEN": viewerToken,
            ]
            process.environment = environment.merging(settings) { $1 }.compactMapValues(\.self)
            process.currentDirectoryURL = FileManager.default.temporaryDirectory
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            let lines = PipedLines()
            process.standardError = lines.pipe
            let ended = try start(process)
            do {
                let (seen, url) = await lines.untilListening()
                let port = try #require(
                    url?.split(separator: ":").last.flatMap { Int($0) }, "it did not start: \(seen)")
                let said = await lines.next() ?? ""
                let address = try #require(said.firstMatch(of: #/http:\/\/\S+/#), "it names no console: \(said)").0
                lines.drain()
                try await body(Stage(port: port, address: String(address), database: database))
                process.terminate()
                await ended.value
                #expect(process.terminationStatus == 0)
            } catch {
                process.terminate()
                await ended.value
                throw error
            }
        }
    }

    func deliver(_ bodies: [[UInt8]]) async throws {
        for body in bodies {
            let reply = try await HTTPClient(port: port).send(
                "POST", "/webhooks/lemon-squeezy",
                headers: [("X-Signature", Signature.sign(body, secret: Self.secret))], body: body)
            #expect(reply.status == 200)
        }
    }

    /// Runs a story in the browser; nothing may go wrong in it.
    func tell(_ story: String, _ given: [String: any Sendable] = [:]) async throws {
        let python = Self.root.appendingPathComponent(".build/browser/bin/python")
        guard FileManager.default.isExecutableFile(atPath: python.path) else {
            throw Failure(description: "there is no Python environment in .build/browser: run make test")
        }
        var given = given
        (given["url"], given["operator"], given["viewer"]) = (url, Self.operatorToken, Self.viewerToken)
        given["root"] = Self.root.path
        given["pictures"] = Self.root.appendingPathComponent(".build/console").path
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["in", "out", "err"].map { folder.appendingPathComponent($0) }
        try JSONSerialization.data(withJSONObject: given).write(to: files[0])
        for file in files.dropFirst() { try Data().write(to: file) }
        let process = Process()
        process.executableURL = python
        process.arguments = ["run.py", story]
        process.currentDirectoryURL = Self.root.appendingPathComponent("Tests/Browser/python")
        // A browser keeps what it needs in the home folder, which not every user has.
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PYTHONDONTWRITEBYTECODE": "1", "HOME": folder.path]) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        await (try Self.start(process)).value
        let told = try? JSONSerialization.jsonObject(with: Data(contentsOf: files[1])) as? [String: Any]
        guard let problems = told?["problems"] as? [String] else {
            throw Failure(description: "\(story): \(try String(contentsOf: files[2], encoding: .utf8))")
        }
        for problem in problems { Issue.record("\(story): \(problem)") }
    }

    /// - Returns: a task that is done when the process has ended.
    private static func start(_ process: Process) throws -> Task<Void, Never> {
        let (ended, continuation) = AsyncStream.makeStream(of: Never.self)
        process.terminationHandler = { _ in continuation.finish() }
        try process.launchAlone()
        return Task { for await _ in ended {} }
    }
}
