import Foundation

/// A process that this one has started, and the only kind that it ends.
///
/// It stays in this one's process group: what ends the group ends it, too. And it is ended if this one is no more.
final class Child {
    let pid: pid_t
    private let name: String
    private var status: Int32?

    /// - Parameters:
    ///   - folder: where it runs; a service finds no `.env` there.
    ///   - input, output, errors: files; nil: nothing is read, what is written is dropped.
    init(
        _ arguments: [String], environment: [String: String] = [:], folder: String, input: String? = nil,
        output: String? = nil, errors: String? = nil
    ) throws {
        name = arguments[0].split(separator: "/").last.map(String.init) ?? arguments[0]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input ?? "/dev/null", O_RDONLY, 0)
        for (descriptor, file) in [(1 as Int32, output), (2, errors)] {
            posix_spawn_file_actions_addopen(
                &actions, descriptor, file ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o644)
        }
        let variables = Self.inherited.merging(environment) { $1 }.map { "\($0)=\($1)" }
        // What posix_spawn cannot do here; both become the program, under the same number.
        var words: [UnsafeMutablePointer<CChar>?] =
            (["env", "-C", folder, "setpriv", "--pdeathsig", "TERM"] + arguments).map { strdup($0) }
        words.append(nil)
        var settings: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) }
        settings.append(nil)
        defer { for text in words + settings { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, "env", &actions, nil, words, settings)
        guard code == 0 else { throw Failure("\(name) does not start: \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    /// Nothing of what somebody has set for a service or a database of his own.
    private static let inherited = ProcessInfo.processInfo.environment.filter { name, _ in
        !["LEMON_", "SELEXTRACT_", "DATABASE_", "TEST_", "PG", "RENEWAL_", "LOG_", "ADMIN_"]
            .contains { name.hasPrefix($0) } && !["HOST", "PORT", "ENVIRONMENT", "SPOOL_PATH"].contains(name)
    }

    var isRunning: Bool {
        guard status == nil else { return false }
        var code: Int32 = 0
        if waitpid(pid, &code, WNOHANG) == pid { status = code }
        return status == nil
    }

    /// - Returns: whether it has ended by itself within the time; else it is ended.
    func wait(seconds: Double) -> Bool {
        let deadline = Clock.now + seconds
        while isRunning {
            if Clock.now > deadline {
                stop()
                return false
            }
            usleep(5000)
        }
        return true
    }

    var hasSucceeded: Bool { !isRunning && status == 0 }

    /// Asks it to end, and sees to it that it does.
    func stop() {
        guard isRunning else { return }
        kill(pid, SIGTERM)
        let deadline = Clock.now + 40
        while isRunning, Clock.now < deadline { usleep(5000) }
        if isRunning {
            kill(pid, SIGKILL)
            while isRunning { usleep(5000) }
        }
    }
}

/// Seconds that no one sets back.
enum Clock {
    static var now: Double { ProcessInfo.processInfo.systemUptime }
}
