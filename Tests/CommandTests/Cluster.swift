import Foundation
import Glibc
import TestSupport
import Testing

/// A PostgreSQL of its own, for what must not be done to the one that all tests share. Durable, unlike that one: it has to
/// keep what it acknowledged.
final class Cluster: Sendable {
    private let folder: URL
    private let binaries: String
    /// PostgreSQL refuses to run as root.
    private let user: String?

    let url: String

    init() async throws {
        let environment = ProcessInfo.processInfo.environment
        binaries = try #require(environment["TEST_POSTGRES_BIN"], "run make test")
        user = geteuid() == 0 ? "postgres" : nil
        // A socket's path may have no more than 107 characters.
        folder = URL(fileURLWithPath: "/tmp/cluster-\(UUID().uuidString.prefix(8))")
        url = "postgresql://postgres@\(folder.path.replacing("/", with: "%2F")):5432/postgres"
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        if user != nil { _ = try await Self.run(["chown", "postgres", folder.path]) }
        try await command("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        try await start()
    }

    private var data: String { folder.appendingPathComponent("data").path }

    func start() async throws {
        let options = "-c listen_addresses='' -c unix_socket_directories='\(folder.path)' -c autovacuum=off"
        try await command(
            "pg_ctl", "-D", data, "-l", folder.appendingPathComponent("log").path, "-w", "-t", "60", "-s", "-o",
            options,
            "start")
    }

    /// As a power failure does, but for the disk: the server and all its processes.
    func kill() async throws {
        let server = try #require(
            pid_t(String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8).prefix { $0 != "\n" }))
        let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }
        let children = processes.filter { process in
            let status = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
            // Behind the name, which is in parentheses: state, parent.
            return status.split(separator: ")").last?.split(separator: " ").dropFirst().first.flatMap { pid_t($0) }
                == server
        }
        for process in [server] + children { Glibc.kill(process, SIGKILL) }
        while ([server] + children).contains(where: { Glibc.kill($0, 0) == 0 }) {
            try await Task.sleep(for: .milliseconds(10))
        }
        try FileManager.default.removeItem(atPath: data + "/postmaster.pid")
    }

    func stop() async throws {
        _ = try? await command("pg_ctl", "-D", data, "-m", "immediate", "-w", "-s", "stop")
        try FileManager.default.removeItem(at: folder)
    }

    private func command(_ name: String, _ arguments: String...) async throws {
        let line = (user.map { ["runuser", "-u", $0, "--"] } ?? []) + ["\(binaries)/\(name)"] + arguments
        guard try await Self.run(line) == 0 else { throw Instance.Failure(description: "\(name) failed") }
    }

    private static func run(_ line: [String]) async throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // A server that goes on must not keep open what Foundation has given to the command: it would wait for its end.
        let closing = #"for f in /proc/self/fd/*; do n=${f##*/}; [ "$n" -le 2 ] || eval "exec $n>&-"; done; exec "$@""#
        process.arguments = ["bash", "-c", closing, "-"] + line
        process.currentDirectoryURL = URL(fileURLWithPath: "/tmp")
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try await process.runToEnd()
        return process.terminationStatus
    }
}
