import Foundation

/// What processes have used, from /proc.
enum Usage {
    /// CPU seconds of a process and its children, ended ones included: of a whole PostgreSQL if it is the postmaster.
    static func cpu(of pid: pid_t) -> Double {
        var (ticks, ended) = (0, -1)
        // A child that ends meanwhile would be counted nowhere: then once more.
        while let own = fields(of: pid), own.ended != ended {
            ended = own.ended
            ticks = own.own + own.ended
            for child in children(of: pid) {
                guard let fields = fields(of: child) else { continue }
                ticks += fields.own + fields.ended
            }
        }
        return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// CPU seconds of all children that have ended.
    static var ofEndedChildren: Double {
        Double(fields(of: getpid())?.ended ?? 0) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Resident memory of a process in MB: now, and the most there was.
    static func memory(of pid: pid_t) -> (now: Double, peak: Double) {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        func megabytes(_ name: String) -> Double {
            let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            let number = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
            return (number.flatMap { Double($0) } ?? 0) / 1024
        }
        return (megabytes("VmRSS"), megabytes("VmHWM"))
    }

    private static func children(of pid: pid_t) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { fields(of: $0)?.parent == pid }
    }

    private static func fields(of pid: pid_t) -> (parent: pid_t, own: Int, ended: Int)? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        // After the name: state, parent, …; utime and stime are the 14th and 15th of all, those of ended children next.
        let words = text[end...].dropFirst().split(separator: " ")
        guard words.count > 14, let parent = pid_t(words[1]) else { return nil }
        let ticks = words[11...14].map { Int($0) ?? 0 }
        return (parent, ticks[0] + ticks[1], ticks[2] + ticks[3])
    }
}
