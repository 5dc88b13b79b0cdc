import Foundation
import Glibc
import TestSupport
import Testing

/// A certificate authority of a test's own, made by openssl in a folder that goes with it.
final class Authority: Sendable {
    private let folder: URL

    init() async throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("authority-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            path("ca.key"), "-out", path("ca.pem"), "-days", "2", "-subj", "/CN=An authority of a test")
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A file with a key and its certificate.
    ///
    /// - Parameters:
    ///   - host: as a certificate spells it, with its kind: `IP:127.0.0.1`, `DNS:example.com`.
    ///   - days: for which it is valid, from now; may be negative.
    func certificate(for host: String, days: Int = 2) async throws -> URL {
        let name = UUID().uuidString
        try await openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            path(name + ".key"), "-out", path(name + ".csr"), "-subj", "/CN=A server of a test")
        try "subjectAltName=\(host)\n".write(toFile: path(name + ".ext"), atomically: true, encoding: .utf8)
        try await openssl(
            "x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
            "-CAcreateserial", "-extfile", path(name + ".ext"), "-days", "\(days)", "-out", path(name + ".crt"))
        let both = try [".key", ".crt"].map { try String(contentsOfFile: path(name + $0), encoding: .utf8) }.joined()
        try both.write(toFile: path(name + ".pem"), atomically: true, encoding: .utf8)
        return folder.appendingPathComponent(name + ".pem")
    }

    /// Runs a command of a program on a machine whose certificates are this authority's: in a mount namespace of its own, in
    /// which it takes the place of Debian's file. That is the one that URLSession reads on Linux.
    func run(_ program: Program, _ arguments: String...) async throws -> Program.Finished {
        let machine = "/etc/ssl/certs/ca-certificates.crt"
        let script = "mount --bind '\(path("ca.pem"))' \(machine) && exec \"$0\" \"$@\""
        let rights = geteuid() == 0 ? [] : ["--map-root-user"]
        let own = ["unshare", "--mount"] + rights + ["sh", "-c", script]
        try #require(
            try await Self.status(own + ["true"]) == 0, "this user has to be allowed a mount namespace (unshare)")
        return try await program.run(arguments, through: own)
    }

    private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private func openssl(_ arguments: String...) async throws {
        try #require(try await Self.status(["openssl"] + arguments) == 0, "openssl \(arguments)")
    }

    private static func status(_ line: [String]) async throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = line
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try await process.runToEnd()
        return process.terminationStatus
    }
}
