import Foundation
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

    /// Runs a command of a program on a machine whose certificates are this authority's. URLSession on Linux reads Debian's
    /// file of them and knows no setting, so the file is another one for the command: a library that is loaded before all
    /// others opens it in its place, which needs no rights.
    func run(_ program: Program, _ arguments: String...) async throws -> Program.Finished {
        let library = path("instead.so")
        if !FileManager.default.fileExists(atPath: library) {
            try Self.instead.write(toFile: path("instead.c"), atomically: true, encoding: .utf8)
            // Swift's own toolchain has it.
            try #require(try await Self.status(["clang", "-shared", "-fPIC", "-o", library, path("instead.c")]) == 0)
        }
        return try await program.run(
            arguments, through: ["env", "LD_PRELOAD=\(library)", "TEST_CERTIFICATES=\(path("ca.pem"))"])
    }

    private static let instead = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>

        static FILE *open_instead(const char *function, const char *path, const char *mode) {
            FILE *(*next)(const char *, const char *) = dlsym(RTLD_NEXT, function);
            int is_theirs = path && strcmp(path, "/etc/ssl/certs/ca-certificates.crt") == 0;
            return next(is_theirs ? getenv("TEST_CERTIFICATES") : path, mode);
        }
        FILE *fopen(const char *path, const char *mode) { return open_instead("fopen", path, mode); }
        FILE *fopen64(const char *path, const char *mode) { return open_instead("fopen64", path, mode); }
        """

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
